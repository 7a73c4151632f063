/**
 * Small graphs side by side: the same model as several methods see it. An edge of the circuit that a method sees is blue, one that it
 * misses is dashed; an edge that it sees and that carries nothing is orange.
 */
import { escapeMarkup } from '../../src/report/format.js';
import { arrowHead, INK, FAINT, label, number, px, svg, text, type Point } from './shapes.js';

/** Where a model's nodes stand in a panel, and how far some edges bend to the side. */
export interface Sketch {
  readonly nodes: Readonly<Record<string, Point>>;
  readonly bends: Readonly<Record<string, number>>;
}

/** Hand-laid: symmetric, so that what breaks the symmetry is the method. */
export const GATE_SKETCH: Sketch = {
  nodes: { input: [100, 240], 'a0.h0': [50, 164], 'a0.h1': [150, 164], m0: [100, 92], logits: [100, 24] },
  bends: { 'input->logits': 104, 'a0.h0->logits': -42, 'a0.h1->logits': 42 },
};
export const BACKUP_SKETCH: Sketch = {
  nodes: { input: [64, 240], 'a0.h0': [64, 164], 'a1.h0': [142, 92], logits: [90, 24] },
  bends: { 'input->logits': -86, 'input->a1.h0<v>': 64, 'input->a1.h0<k>': 52, 'a0.h0->logits': -12 },
};

export interface Panel {
  readonly title: string;
  readonly note: string;
  /** edge → score; null: the circuit itself, without numbers */
  readonly scores: ReadonlyMap<string, number> | null;
}

const SEEN = '#0072b2';
const FALSE = '#e69f00';
const BOX = { width: 52, height: 26 };
const PORTS: Readonly<Record<string, number>> = { q: -16, k: 0, v: 16 };
const PANEL = { width: 200, height: 258, head: 50 };
const ARROW = 6;

interface Line {
  readonly name: string;
  readonly points: readonly [Point, Point, Point, Point];
}

/** From the top of one box to the bottom of another, into a head's port. */
function lineOf(name: string, { nodes, bends }: Sketch, withPorts: boolean): Line {
  const [sender = '', into = ''] = name.split('->');
  const [reader = '', port = ''] = into.replace('>', '').split('<');
  const [from, to] = [nodes[sender] as Point, nodes[reader] as Point];
  const lean = Math.max(-16, Math.min(16, (to[0] - from[0]) / 4));
  const start: Point = [from[0] + lean, from[1] - BOX.height / 2];
  const aside = withPorts ? PORTS[port] : undefined;
  const end: Point = [to[0] + (aside ?? -lean), to[1] + BOX.height / 2 + ARROW];
  const rise = (start[1] - end[1]) / 2.6;
  const bend = bends[name] ?? 0;
  return { name, points: [start, [start[0] + bend, start[1] - rise], [end[0] + bend, end[1] + rise], end] };
}

const along = ([a, b, c, d]: Line['points'], t: number): Point => {
  const mix = (axis: 0 | 1): number => {
    const u = 1 - t;
    return u ** 3 * a[axis] + 3 * u * u * t * b[axis] + 3 * u * t * t * c[axis] + t ** 3 * d[axis];
  };
  return [mix(0), mix(1)];
};

interface Style {
  readonly colour: string;
  readonly width: number;
  readonly dashed: boolean;
  readonly value: string | null;
}

/** Numbers of a head's query, key and value stand one above the other where there are several. */
const PLACES: Readonly<Record<string, number>> = { q: 0.8, k: 0.5, v: 0.2 };
function placeOf(name: string, styles: ReadonlyMap<string, Style>): number {
  const [into = '', port = ''] = name.replace(/>$/, '').split('<');
  const siblings = [...styles].filter(([other, { value }]) => value !== null && other.startsWith(`${into}<`));
  return siblings.length > 1 ? PLACES[port]! : 0.5;
}

function draw(
  { name, points }: Line,
  { colour, width, dashed, value }: Style,
  place: number,
): { under: string; over: string } {
  const [start, ...rest] = points;
  const dash = dashed ? ' stroke-dasharray="4 3.5"' : '';
  const path = `M${start.map(px).join(' ')}C${rest.map((point) => point.map(px).join(' ')).join(' ')}`;
  const title = escapeMarkup(value === null ? name : `${name}: ${value}`);
  const line = `<path d="${path}" fill="none" stroke="${colour}" stroke-width="${px(width)}"${dash}/>`;
  const head = arrowHead(points[2], points[3], { length: ARROW, half: 2.2 + width * 0.5, colour });
  const written = value === null ? '' : label(value, along(points, place), colour === FALSE ? '#8a5a00' : colour);
  return { under: `<g><title>${title}</title>${line}${head}</g>`, over: written };
}

/** Circuit edges always; others where they have a score. Queries and keys that carry nothing have no number of their own. */
function stylesOf(circuit: readonly string[], scores: Panel['scores']): Map<string, Style> {
  const least = 5e-3;
  if (!scores) return new Map(circuit.map((name) => [name, { colour: INK, width: 2, dashed: false, value: null }]));
  const largest = Math.max(...[...scores.values()].map(Math.abs));
  const others = [...scores.keys()].filter((name) => !circuit.includes(name) && Math.abs(scores.get(name)!) > least);
  return new Map(
    [...others, ...circuit].map((name) => {
      const score = scores.get(name) ?? 0;
      const seen = Math.abs(score) > least;
      const colour = !circuit.includes(name) ? FALSE : seen ? SEEN : FAINT;
      const written = circuit.includes(name) || !/<[qk]>$/.test(name);
      const width = seen ? 1 + (4 * Math.abs(score)) / largest : 1.3;
      return [name, { colour, width, dashed: !seen, value: written ? number(score) : null }];
    }),
  );
}

const SHAPES: Readonly<Record<string, { readonly rx: number; readonly fill: string }>> = {
  a: { rx: 6, fill: '#ffffff' },
  m: { rx: 3, fill: '#fdf3d8' },
};

function drawBox(name: string, [x, y]: Point, withPorts: boolean): string {
  const { rx, fill } = SHAPES[name.charAt(0)] ?? { rx: BOX.height / 2, fill: '#eceff2' };
  const ports = withPorts && name.startsWith('a');
  return [
    `<rect x="${px(x - BOX.width / 2)}" y="${px(y - BOX.height / 2)}" width="${BOX.width}" height="${BOX.height}" rx="${rx}" fill="${fill}" stroke="${INK}"/>`,
    text(name, [x, ports ? y : y + 4], { weight: 'bold' }),
    ...(ports ? Object.entries(PORTS) : []).map(([port, aside]) =>
      text(port, [x + aside, y + BOX.height / 2 - 3.5], { size: 8.5, fill: FAINT }),
    ),
  ].join('');
}

/** Heads have a place for each of q, k and v where something but values is drawn. */
const hasPorts = (styles: ReadonlyMap<string, Style>): boolean =>
  [...styles.keys()].some((name) => /<[qk]>$/.test(name));

function drawPanel(panel: Panel, { sketch, circuit }: { sketch: Sketch; circuit: readonly string[] }): string {
  const styles = stylesOf(circuit, panel.scores);
  const withPorts = hasPorts(styles);
  const lines = [...styles].map(([name, style]) => draw(lineOf(name, sketch, withPorts), style, placeOf(name, styles)));
  return [
    text(panel.title, [PANEL.width / 2, 20], { size: 13, weight: 'bold' }),
    text(panel.note, [PANEL.width / 2, 37], { size: 11, fill: FAINT }),
    `<g transform="translate(0 ${PANEL.head})">`,
    ...lines.map(({ under }) => under),
    ...Object.entries(sketch.nodes).map(([name, at]) => drawBox(name, at, withPorts)),
    ...lines.map(({ over }) => over),
    '</g>',
  ].join('\n');
}

const legend = (y: number, { missed, extra }: { missed: boolean; extra: boolean }): string[] => {
  const sample = (x: number, what: string, style: string): string =>
    `<path d="M${x} ${y}h26" ${style}/>` + text(what, [x + 33, y + 4], { size: 11, anchor: 'start' });
  const dashes = `stroke="${FAINT}" stroke-width="1.3" stroke-dasharray="4 3.5"`;
  return [
    sample(20, 'of the circuit, seen', `stroke="${SEEN}" stroke-width="4"`),
    ...(missed ? [sample(200, 'of the circuit, missed', dashes)] : []),
    ...(extra ? [sample(missed ? 390 : 200, 'not of the circuit, seen', `stroke="${FALSE}" stroke-width="4"`)] : []),
  ];
};

/** Draws the panels in a row. Same scores, same bytes. */
export function drawGraphs(
  title: string,
  panels: readonly Panel[],
  of: { readonly sketch: Sketch; readonly circuit: readonly string[] },
): string {
  const size = { width: PANEL.width * panels.length, height: PANEL.head + PANEL.height + 28 };
  const drawn = panels.map(
    (panel, i) => `<g transform="translate(${i * PANEL.width} 0)">\n${drawPanel(panel, of)}\n</g>`,
  );
  const has = (mark: string): boolean => drawn.some((panel) => panel.includes(mark));
  return svg(title, size, [
    ...drawn,
    ...legend(size.height - 16, { missed: has('stroke-dasharray'), extra: has(FALSE) }),
  ]);
}
