/** A table like a heat map: methods × edges, noising and denoising; each row has colours of its own, for each has a unit of its own. */
import { colourAt, inkOn } from '../../src/report/charts/heat-map/colours.js';
import { FAINT, INK, number, px, svg, text } from './shapes.js';

export interface TableRow {
  readonly title: string;
  /** edge → score, noising and denoising */
  readonly blocks: readonly [ReadonlyMap<string, number>, ReadonlyMap<string, number>];
}

const CELL = { width: 33, height: 22 };
const LEFT = 158;
const GAP = 26;
const TITLES = ['noising: what is lost without the edge', 'denoising: what the edge brings back'];
/** the longest name of an edge, upright */
const HEAD = 106;

/** Draws the rows. Same scores, same bytes. */
export function drawTable(
  title: string,
  rows: readonly TableRow[],
  of: { readonly edges: readonly string[]; readonly circuit: readonly string[] },
): string {
  const blockWidth = of.edges.length * CELL.width;
  const lefts = TITLES.map((_, block) => LEFT + block * (blockWidth + GAP));
  const top = 36 + HEAD;
  const bottom = top + rows.length * CELL.height;
  const names = rows.map((row, r) =>
    text(row.title, [LEFT - 9, top + (r + 0.5) * CELL.height + 4], { size: 11.5, anchor: 'end' }),
  );
  const blocks = lefts.flatMap((left, block) => [
    text(TITLES[block]!, [left, 24], { size: 12.5, anchor: 'start', weight: 'bold' }),
    ...heads(left, { top, bottom, ...of }),
    ...rows.flatMap((row, r) => cells(row.blocks[block]!, { left, top: top + r * CELL.height, edges: of.edges })),
  ]);
  const size = { width: LEFT + 2 * blockWidth + GAP + 14, height: bottom + 34 };
  const note =
    'black names: edges of the circuit · colours: each row from its largest score down (blue), below 0 vermilion';
  return svg(title, size, [
    ...blocks,
    ...names,
    text(note, [LEFT, bottom + 21], { size: 11, anchor: 'start', fill: FAINT }),
  ]);
}

/** Names of edges, upright; those of the circuit in black, with a line down both sides. */
function heads(
  left: number,
  of: { top: number; bottom: number; edges: readonly string[]; circuit: readonly string[] },
): string[] {
  return of.edges.map((edge, e) => {
    const inside = of.circuit.includes(edge);
    const x = left + (e + 0.5) * CELL.width;
    const style = { size: 10.5, anchor: 'start', turn: -90 } as const;
    return text(
      edge,
      [x + 4, of.top - 6],
      inside ? { ...style, weight: 'bold', fill: INK } : { ...style, fill: FAINT },
    );
  });
}

function cells(
  scores: ReadonlyMap<string, number>,
  { left, top, edges }: { left: number; top: number; edges: readonly string[] },
): string[] {
  const limit = Math.max(...edges.map((edge) => Math.abs(scores.get(edge) ?? 0)));
  return edges.map((edge, e) => {
    const rounded = Math.round(100 * (scores.get(edge) ?? 0)) / 100;
    const x = left + e * CELL.width;
    const rect = `<rect x="${px(x)}" y="${px(top)}" width="${CELL.width}" height="${CELL.height}" fill="${colourAt(rounded, limit)}" stroke="#ffffff"/>`;
    const fill = rounded === 0 ? '#b1b8c0' : inkOn(rounded, limit);
    return rect + text(number(rounded), [x + CELL.width / 2, top + CELL.height / 2 + 4], { size: 11, fill });
  });
}
