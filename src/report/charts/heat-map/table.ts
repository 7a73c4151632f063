/** A grid of any number of axes as rows and columns. Thousands of neurons go on from line to line. */
import type { HeatAxis } from '../../records/patching.js';

export interface HeatTable {
  readonly rowName: string;
  readonly rowLabels: readonly string[];
  readonly columnName: string;
  readonly columnLabels: readonly string[];
  /** rows after which a line is drawn: where the layer changes and every layer has several rows */
  readonly rules: readonly number[];
  /** [row][column] → the cell's place in the grid; rows may be shorter than there are columns */
  readonly cells: readonly (readonly number[])[];
  /** cells too many to be read one by one: the strongest are named */
  readonly vast: boolean;
}

const of = (labels: readonly string[], rows: number): number[][] =>
  Array.from({ length: rows }, (_, row) => labels.map((_, column) => row * labels.length + column));

/** The last axis runs to the right, the layers upward; heads by position have a row for each head, by query for each of its queries. */
export function tableOf(axes: readonly HeatAxis[]): HeatTable {
  return axes[1]?.name === 'neuron' ? linesOfNeurons(axes) : rowsAndColumns(axes);
}

const LINE = 64;

/** Layers upward, in each its places upward, and of each the neurons as on a page: to the right, then down. */
function linesOfNeurons(axes: readonly HeatAxis[]): HeatTable {
  const [layers, neurons, places] = axes as readonly [HeatAxis, HeatAxis, HeatAxis?];
  const [count, across] = [neurons.labels.length, places?.labels.length ?? 1];
  const starts = Array.from({ length: Math.ceil(count / LINE) }, (_, line) => line * LINE).reverse();
  const blocks = layers.labels.flatMap((layer, l) =>
    Array.from({ length: across }, (_, place) => ({ layer, l, place, label: places?.labels[place] ?? '' })),
  );
  const width = Math.min(LINE, count);
  return {
    rowName: places ? `layer, ${places.name}` : 'layer',
    rowLabels: blocks.flatMap(({ layer, label }) =>
      starts.map((start) => (start === 0 ? `m${layer} ${label === '' ? '' : `${label} `}n0` : `n${start}`)),
    ),
    columnName: 'neuron of its line',
    columnLabels: Array.from({ length: width }, (_, i) => (i % 8 === 0 ? `${i}` : '')),
    rules: blocks.slice(1).map((_, i) => (i + 1) * starts.length),
    cells: blocks.flatMap(({ l, place }) =>
      starts.map((start) =>
        Array.from({ length: Math.min(LINE, count - start) }, (_, i) => (l * count + start + i) * across + place),
      ),
    ),
    vast: true,
  };
}

function rowsAndColumns(axes: readonly HeatAxis[]): HeatTable {
  const [first, ...others] = axes as readonly [HeatAxis, ...HeatAxis[]];
  const last = others.at(-1);
  const columns = last ?? { name: 'position', labels: ['all'] };
  const named = { columnName: last ? last.name : 'all positions', columnLabels: last ? columns.labels : [''] };
  const heads = others.length > 1 ? (others[0] as HeatAxis).labels : null;
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
    vast: false,
  };
}

/** The same rows from the other end. */
export const flipped = ({ rowLabels, cells, rules, ...table }: HeatTable): HeatTable => ({
  ...table,
  rowLabels: [...rowLabels].reverse(),
  cells: [...cells].reverse(),
  rules: rules.map((row) => rowLabels.length - row),
});
