/** A grid of any number of axes as rows and columns. */
import type { GridAxis } from '../patching.js';

export interface HeatTable {
  readonly rowName: string;
  readonly rowLabels: readonly string[];
  readonly columnName: string;
  readonly columnLabels: readonly string[];
  /** rows after which a line is drawn: where the layer changes and every layer has several rows */
  readonly rules: readonly number[];
  /** [row][column] → the cell's place in the grid */
  readonly cells: readonly (readonly number[])[];
}

const of = (labels: readonly string[], rows: number): number[][] =>
  Array.from({ length: rows }, (_, row) => labels.map((_, column) => row * labels.length + column));

/** The last axis runs to the right, the layers upward; heads by position have a row for each head, by query for each of its queries. */
export function tableOf(axes: readonly GridAxis[]): HeatTable {
  const [first, ...others] = axes as readonly [GridAxis, ...GridAxis[]];
  const last = others.at(-1);
  const columns = last ?? { name: 'position', labels: ['all'] };
  const named = { columnName: last ? last.name : 'all positions', columnLabels: last ? columns.labels : [''] };
  const heads = others.length > 1 ? (others[0] as GridAxis).labels : null;
  const inner = others.slice(1, -1); // queries of each head
  const nodes = heads ? first.labels.flatMap((layer) => heads.map((head) => `a${layer}.h${head}`)) : first.labels;
  const rowLabels = inner.reduce(
    (rows, { labels }) => rows.flatMap((row) => labels.map((label) => `${row} ${label}`)),
    nodes,
  );
  const cells = of(named.columnLabels, rowLabels.length);
  const rules = heads ? first.labels.slice(1).map((_, i) => ((i + 1) * rowLabels.length) / first.labels.length) : [];
  return {
    ...named,
    rowName: heads ? ['head', ...inner.map(({ name }) => name)].join(', ') : first.name,
    rowLabels,
    rules,
    cells,
  };
}
