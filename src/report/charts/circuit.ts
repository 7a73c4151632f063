/**
 * The circuit's picture as SVG: layers upward, line width = |score|, colour = sign, q, k and v told apart by where a line enters a
 * head and by its dashes. Colours (Okabe & Ito 2008) differ also for colour-blind readers. All styles are attributes, so that
 * editors and LaTeX tools show what browsers show; classes let a page that embeds the picture restyle it.
 */
import { escapeMarkup, number, whole } from '../format.js';
import { ARROW, pictureOf, PORT, WIDEST_LINE } from './circuit-picture.js';
import type { Box, Curve, Picture, Point } from './circuit-picture.js';
import type { ReportRecord } from '../records/report.js';
import type { View } from '../view.js';

const COLOUR = {
  helps: '#0072b2',
  hurts: '#d55e00',
  ink: '#1f2328',
  faint: '#8b949e',
  line: '#e3e6ea',
  paper: '#ffffff',
};
const FILL: Readonly<Record<Box['kind'], string>> = {
  input: '#eceff2',
  head: '#ffffff',
  mlp: '#fdf3d8',
  logits: '#eceff2',
};
/** Coordinates to a tenth of a pixel. */
const px = (value: number): string => `${Math.round(value * 10) / 10 + 0}`;

/** A reader's line: whole, in dashes, or in round dots; dashes and gaps grow with the line. */
const DASH: Readonly<Record<Curve['reader'], (width: number) => string>> = {
  q: () => '',
  k: (width) => ` stroke-dasharray="${px(6 + 1.2 * width)} ${px(3 + 0.6 * width)}"`,
  v: (width) => ` stroke-dasharray="0.1 ${px(1.6 + 1.5 * width)}" stroke-linecap="round"`,
  mlp: () => '',
  logits: () => '',
};
const FONT = 'font-family="Helvetica, Arial, sans-serif"';
const LEGEND = 92;

const at = ([x, y]: Point): string => `${px(x)} ${px(y)}`;

const colourOf = (score: number): string => (score < 0 ? COLOUR.hurts : COLOUR.helps);
const classOf = (score: number): string => (score < 0 ? 'hurts' : 'helps');

/** A small triangle from the end of a curve, pointing the way the curve arrives. */
const arrow = ({ points: [, , before, end], width }: Pick<Curve, 'points' | 'width'>): string => {
  const [dx, dy] = [end[0] - before[0], end[1] - before[1]];
  const length = Math.hypot(dx, dy) || 1;
  const [ux, uy] = [dx / length, dy / length];
  const half = 2.4 + width * 0.55;
  const tip: Point = [end[0] + ux * ARROW, end[1] + uy * ARROW];
  const left: Point = [end[0] - uy * half, end[1] + ux * half];
  const right: Point = [end[0] + uy * half, end[1] - ux * half];
  return `M${at(tip)}L${at(left)}L${at(right)}Z`;
};

const drawCurve = (curve: Curve): string => {
  const { points, width, reader, name, score, exact } = curve;
  const [start, ...rest] = points;
  const measured = exact === null ? '' : `, exact ${number(exact, { signed: true })}`;
  const title = escapeMarkup(`${name}: score ${number(score, { signed: true })}${measured}`);
  return (
    `<g class="edge ${classOf(score)}" opacity="0.82"><title>${title}</title>` +
    `<path d="M${at(start)}C${rest.map(at).join(' ')}" fill="none" stroke="${colourOf(score)}" stroke-width="${px(width)}"${DASH[reader](width)}/>` +
    `<path d="${arrow(curve)}" fill="${colourOf(score)}"/></g>`
  );
};

const text = (
  content: string,
  [x, y]: Point,
  { size = 12, anchor = 'middle', fill = COLOUR.ink, weight = 'normal' } = {},
): string => {
  const ink = fill === COLOUR.ink ? 'ink' : 'faint';
  return `<text class="${ink}" x="${px(x)}" y="${px(y)}" ${FONT} font-size="${size}" font-weight="${weight}" text-anchor="${anchor}" fill="${fill}">${escapeMarkup(content)}</text>`;
};

const drawBox = ({ name, kind, x, y, width, height }: Box, withPorts: boolean): string => {
  const rx = kind === 'head' ? 6 : kind === 'mlp' ? 3 : height / 2;
  const rect = `<rect class="node ${kind}" x="${px(x - width / 2)}" y="${px(y - height / 2)}" width="${width}" height="${height}" rx="${rx}" fill="${FILL[kind]}" stroke="${COLOUR.ink}" stroke-width="1.1"/>`;
  const label = text(name, [x, kind === 'head' && withPorts ? y - 1 : y + 4], { weight: 'bold' });
  const ports = (['q', 'k', 'v'] as const).map((port, i) =>
    text(port, [x + (i - 1) * PORT, y + height / 2 - 4.5], { size: 9, fill: COLOUR.faint }),
  );
  return `<g>${rect}${label}${kind === 'head' && withPorts ? ports.join('') : ''}</g>`;
};

const drawRows = ({ rows, width }: Picture): string[] =>
  rows.map(
    ({ label, y }) =>
      `<path class="rule" d="M70 ${px(y)}H${px(width - 16)}" stroke="${COLOUR.line}" stroke-width="1"/>` +
      text(label, [62, y + 4], { size: 11, anchor: 'end', fill: COLOUR.faint }),
  );

interface LineStyle {
  readonly colour?: string;
  readonly width?: number;
  readonly reader?: Curve['reader'];
}

/** A sample line with what it means. */
const sample = (
  [x, y]: Point,
  label: string,
  { colour = COLOUR.ink, width = 2, reader = 'q' }: LineStyle = {},
): string => {
  const named = colour === COLOUR.ink ? 'ink-line' : colour === COLOUR.helps ? 'helps' : 'hurts';
  return (
    `<path class="${named}" d="M${px(x)} ${px(y)}h30" fill="none" stroke="${colour}" stroke-width="${px(width)}"${DASH[reader](width)}/>` +
    text(label, [x + 37, y + 4], { size: 11, anchor: 'start' })
  );
};

const drawLegend = ({ height, scale }: Picture): string[] => {
  const [first, second, third] = [height + 14, height + 38, height + 62];
  const share = (part: number): string => number(scale * part);
  return [
    sample([24, first], 'helps the task (+)', { colour: COLOUR.helps, width: 3 }),
    sample([200, first], 'hurts it (−)', { colour: COLOUR.hurts, width: 3 }),
    sample([24, second], 'read by query, MLP or logits', { reader: 'q' }),
    sample([226, second], 'by the key', { reader: 'k' }),
    sample([340, second], 'by the value', { reader: 'v' }),
    ...(scale > 0
      ? [
          sample([24, third], `|score| ${share(1)}`, { width: WIDEST_LINE }),
          sample([200, third], share(0.5), { width: WIDEST_LINE / 2 }),
          sample([340, third], share(0.2), { width: WIDEST_LINE / 5 }),
        ]
      : []),
  ];
};

const heading = (record: ReportRecord): string => `${record.task.name} · ${record.model.name}`;
const subheading = (record: ReportRecord): string => {
  const { edgeCount, edges } = record.circuit;
  const faithfulness = record.evaluation.faithfulness;
  const kept = faithfulness === null ? '' : ` · faithfulness ${number(faithfulness)}`;
  return `${whole(edges.length)} of ${whole(record.graph.edges)} edges by ${record.settings.method.title}${kept}${edgeCount === 0 ? ' (the circuit is empty)' : ''}`;
};

/** Draws a record's circuit. Same record, same bytes. */
export const drawSvg = (record: ReportRecord): string => {
  const picture = pictureOf(record);
  const [width, height] = [px(picture.width), px(picture.height + LEGEND)];
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-labelledby="circuit-title circuit-description">`,
    `<title id="circuit-title">${escapeMarkup(`Circuit: ${heading(record)}`)}</title>`,
    `<desc id="circuit-description">${escapeMarkup(subheading(record))}</desc>`,
    `<rect class="paper" width="${width}" height="${height}" fill="${COLOUR.paper}"/>`,
    text(heading(record), [24, 26], { size: 15, anchor: 'start', weight: 'bold' }),
    text(subheading(record), [24, 44], { size: 11, anchor: 'start', fill: COLOUR.faint }),
    ...drawRows(picture),
    ...picture.curves.map(drawCurve),
    ...picture.boxes.map((box) => drawBox(box, picture.hasPorts)),
    ...drawLegend(picture),
    '</svg>\n',
  ].join('\n');
};

export const svg: View<ReportRecord> = {
  key: 'svg',
  title: 'the picture of the circuit',
  render: ({ record }) => [{ file: 'circuit.svg', content: drawSvg(record) }],
};
