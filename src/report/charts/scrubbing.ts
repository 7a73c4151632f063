/** A hypothesis drawn: the logits on the left, what they read to the right of them; dark where a claim fails. */
import { escapeMarkup, number } from '../format.js';
import { colourAt, inkOn } from './heat-map/colours.js';
import type { ScrubbingNode, ScrubbingRecord } from '../records/scrubbing.js';

const BOX = { width: 190, height: 58 } as const;
const GAP = { x: 80, y: 16 } as const;
const MARGIN = 12;

interface Placed {
  readonly node: ScrubbingNode;
  readonly x: number;
  readonly y: number;
}

/** Columns by the longest way from the logits, in the order in which nodes are first read. */
function place(nodes: readonly ScrubbingNode[]): Map<string, Placed> {
  const depth = new Map<string, number>();
  for (const { name, reads } of nodes) {
    const own = depth.get(name) ?? 0;
    depth.set(name, own);
    for (const child of (reads ?? []).flatMap((read) => read.nodes))
      depth.set(child, Math.max(depth.get(child) ?? 0, own + 1));
  }
  const columns: ScrubbingNode[][] = [];
  for (const node of nodes) (columns[depth.get(node.name)!] ??= []).push(node);
  const tallest = Math.max(...columns.map((column) => column.length));
  const placed = columns.flatMap((column, c) =>
    column.map((node, row) => {
      const top = ((tallest - column.length) * (BOX.height + GAP.y)) / 2;
      return { node, x: MARGIN + c * (BOX.width + GAP.x), y: MARGIN + top + row * (BOX.height + GAP.y) };
    }),
  );
  return new Map(placed.map((one) => [one.node.name, one]));
}

const percent = (share: number): string => `${Math.round(100 * share)} %`.replace('-', '−');

const cut = (text: string, most: number): string => (text.length > most ? `${text.slice(0, most - 1)}…` : text);

function box({ node, x, y }: Placed, { claims }: ScrubbingRecord): string {
  const own = claims.filter((claim) => claim.node === node.name && claim.recovered !== null);
  const worst = Math.min(1, ...own.map(({ recovered }) => recovered!.value));
  const lost = Math.max(-1, worst - 1);
  const [fill, ink] = [colourAt(lost, 1), inkOn(lost, 1)];
  const shares = own.map(({ kind, recovered }) => `${kind} ${percent(recovered!.value)}`).join(' · ');
  const text = (line: number, content: string, style: string): string =>
    `<text x="${x + 10}" y="${y + 17 + 16 * line}" fill="${ink}" style="${style}">${escapeMarkup(content)}</text>`;
  const feature = node.feature === null ? '' : ` ⟵ ${node.feature.join(', ') || 'nothing'}`;
  return [
    `<g><title>${escapeMarkup(node.claim ?? `${node.name}, ${node.at}`)}</title>`,
    `<rect x="${x}" y="${y}" width="${BOX.width}" height="${BOX.height}" rx="6" fill="${fill}" stroke="#8b949e"/>`,
    text(0, cut(node.name, 24), 'font-weight:600'),
    text(1, cut(`${node.at}${feature}`, 31), 'font-size:11px'),
    text(2, shares, 'font-size:11px'),
    '</g>',
  ].join('');
}

function lines(from: Placed, placed: ReadonlyMap<string, Placed>): string[] {
  return (from.node.reads ?? []).flatMap(({ by, nodes }, r) =>
    nodes.map((name) => {
      const to = placed.get(name)!;
      const start = {
        x: from.x + BOX.width,
        y: from.y + BOX.height * ((r + 1) / ((from.node.reads?.length ?? 0) + 1)),
      };
      const end = { x: to.x, y: to.y + BOX.height / 2 };
      const bend = GAP.x / 2;
      const label = by === 'x' ? '' : `<text class="faint" x="${start.x + 6}" y="${number(start.y - 4)}" style="font-size:11px">${by}</text>`; // prettier-ignore
      return `<path d="M${start.x},${start.y} C${start.x + bend},${start.y} ${end.x - bend},${end.y} ${end.x},${end.y}" fill="none" stroke="#8b949e"/>${label}`;
    }),
  );
}

/** Same record, same bytes. */
export function drawHypothesis(record: ScrubbingRecord): string {
  const placed = place(record.hypothesis.nodes);
  const all = [...placed.values()];
  const width = Math.max(...all.map(({ x }) => x + BOX.width)) + MARGIN;
  const height = Math.max(...all.map(({ y }) => y + BOX.height)) + MARGIN;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" font-family="system-ui, sans-serif" font-size="13"><title>${escapeMarkup(`${record.hypothesis.name}: which node reads which`)}</title>`,
    ...all.flatMap((one) => lines(one, placed)),
    ...all.map((one) => box(one, record)),
    '</svg>',
  ].join('\n');
}
