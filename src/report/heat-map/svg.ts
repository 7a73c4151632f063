/**
 * A grid's heat map as SVG: layers upward as in the picture of a circuit, symmetric colours about 0, a colour bar over the range of
 * the values. All styles are attributes, so that editors and LaTeX tools show what browsers show; classes let a page restyle it.
 */
import { escapeMarkup, number } from '../format.js';
import { cellName, shown, shownName } from '../patching.js';
import type { GridRecord, PatchingRecord } from '../patching.js';
import { colourAt, inkOn } from './colours.js';
import { tableOf, type HeatTable } from './table.js';

const INK = '#1f2328';
const FAINT = '#59636e';
const FONT = 'font-family="Helvetica, Arial, sans-serif"';
const HEAD = 62;
const BAR = { gap: 26, width: 13, room: 92, least: 110 };
const LABEL_SIZE = 11;
const CHARACTER = 6; // average width at that size
const LONGEST = 22;

export interface HeatMapOptions {
  /** write each value into its cell */
  readonly numbers: boolean;
}

interface Frame {
  readonly table: HeatTable;
  readonly values: readonly number[];
  /** largest |value|: the ends of the colours */
  readonly limit: number;
  readonly left: number;
  readonly cell: { readonly width: number; readonly height: number };
  readonly right: number;
  readonly bottom: number;
  readonly size: { readonly width: number; readonly height: number };
}

const px = (value: number): string => `${Math.round(value * 10) / 10 + 0}`;
const short = (label: string): string => (label.length > LONGEST ? `${label.slice(0, LONGEST - 1)}…` : label);
const widest = (labels: readonly string[]): number =>
  Math.max(0, ...labels.map((label) => short(label).length)) * CHARACTER;
/** Column labels stand upright where they would not fit side by side. */
const areUpright = (labels: readonly string[], width: number): boolean => widest(labels) > width - 4;

function frameOf(table: HeatTable, values: readonly number[], { numbers }: HeatMapOptions): Frame {
  const [rows, columns] = [table.rowLabels.length, table.columnLabels.length];
  const width = numbers ? 40 : columns === 1 ? 64 : columns > 40 ? 12 : 26;
  const height = rows > 40 ? 13 : 20;
  const left = 44 + widest(table.rowLabels);
  const right = left + columns * width;
  const bottom = HEAD + rows * height;
  const below = areUpright(table.columnLabels, width) ? widest(table.columnLabels) : 12;
  const limit = Math.max(...values.map(Math.abs));
  const size = {
    width: Math.max(right + BAR.gap + BAR.room, 420),
    height: Math.max(bottom + below + 36, HEAD + BAR.least + 24),
  };
  return { table, values, limit, left, cell: { width, height }, right, bottom, size };
}

interface TextStyle {
  readonly size?: number;
  readonly anchor?: 'start' | 'middle' | 'end';
  readonly fill?: string;
  readonly weight?: string;
  readonly turn?: boolean;
}

function text(content: string, [x, y]: readonly [number, number], style: TextStyle = {}): string {
  const { size = LABEL_SIZE, anchor = 'middle', fill = INK, weight = 'normal', turn = false } = style;
  const named = fill === INK ? ' class="ink"' : fill === FAINT ? ' class="faint"' : '';
  const turned = turn ? ` transform="rotate(-90 ${px(x)} ${px(y)})"` : '';
  return `<text${named} x="${px(x)}" y="${px(y)}" ${FONT} font-size="${size}" font-weight="${weight}" text-anchor="${anchor}" fill="${fill}"${turned}>${escapeMarkup(content)}</text>`;
}

/** Two decimals; never a minus before zeros. */
const inCell = (value: number): string => (Math.round(value * 100) / 100 + 0).toFixed(2).replace('-', '−');

/** The top of a row; the first row stands lowest. */
const topOf = ({ bottom, cell }: Frame, row: number): number => bottom - (row + 1) * cell.height;

function drawCells(frame: Frame, grid: GridRecord, numbers: boolean): string[] {
  const { table, values, limit, left, cell } = frame;
  return table.cells.flatMap((row, r) =>
    row.map((place, c) => {
      const value = values[place] as number;
      const [x, y] = [left + c * cell.width, topOf(frame, r)];
      const title = `${cellName(grid.axes, place)}: ${number(value, { signed: true })} (metric ${number(grid.mean[place] as number)})`;
      const written = numbers
        ? text(inCell(value), [x + cell.width / 2, y + cell.height / 2 + 3.5], { size: 9.5, fill: inkOn(value, limit) })
        : '';
      return `<rect x="${px(x)}" y="${px(y)}" width="${px(cell.width)}" height="${px(cell.height)}" fill="${colourAt(value, limit)}" stroke="#ffffff" stroke-width="0.6"><title>${escapeMarkup(title)}</title></rect>${written}`;
    }),
  );
}

/** Every label where there is room, else every second, fifth, … */
const everyNth = (size: number): number => [1, 2, 5, 10, 20, 50].find((step) => size * step >= 12) ?? 100;

function drawAxes(frame: Frame): string[] {
  const { table, left, cell, right, bottom } = frame;
  const step = everyNth(cell.height);
  const rows = table.rowLabels.map((label, row) =>
    row % step === 0 ? text(short(label), [left - 7, topOf(frame, row) + cell.height / 2 + 4], { anchor: 'end' }) : '',
  );
  const upright = areUpright(table.columnLabels, cell.width);
  const columnStep = upright ? everyNth(cell.width) : 1;
  const columns = table.columnLabels.map((label, column) => {
    const x = left + (column + 0.5) * cell.width;
    if (column % columnStep !== 0) return '';
    return upright
      ? text(short(label), [x + 4, bottom + 7], { anchor: 'end', turn: true })
      : text(label, [x, bottom + 15]);
  });
  const below = bottom + (upright ? widest(table.columnLabels) : 12) + 22;
  const middle = (HEAD + bottom) / 2;
  const rules = table.rules.map(
    (row) =>
      `<path d="M${px(left)} ${px(bottom - row * cell.height)}H${px(right)}" stroke="${FAINT}" stroke-width="0.7"/>`,
  );
  return [
    ...rules,
    ...rows,
    ...columns,
    text(table.rowName, [16, middle], { fill: FAINT, turn: true }),
    text(table.columnName, [(left + right) / 2, below], { fill: FAINT }),
  ];
}

const BAR_STEPS = 64;

/** The colours between the least and the greatest value shown, 0 always among them. */
function drawBar(frame: Frame, label: string): string[] {
  const { values, limit, right } = frame;
  const [low, high] = [Math.min(0, ...values), Math.max(0, ...values)];
  if (limit === 0) return [];
  const height = Math.max(BAR.least, Math.min(frame.bottom - HEAD, 220));
  const x = right + BAR.gap;
  const yOf = (value: number): number => HEAD + (height * (high - value)) / (high - low);
  const steps = Array.from({ length: BAR_STEPS }, (_, i) => {
    const value = high + ((i + 0.5) / BAR_STEPS) * (low - high);
    return `<rect x="${px(x)}" y="${px(HEAD + (i * height) / BAR_STEPS)}" width="${BAR.width}" height="${px(height / BAR_STEPS + 0.5)}" fill="${colourAt(value, limit)}"/>`;
  });
  const far = (value: number): boolean => Math.abs(yOf(value) - yOf(0)) > 14;
  const ticks = [0, ...[high, high / 2, low / 2, low].filter(far)];
  return [
    ...steps,
    `<rect x="${px(x)}" y="${HEAD}" width="${BAR.width}" height="${px(height)}" fill="none" stroke="${FAINT}" stroke-width="0.7"/>`,
    ...ticks.map(
      (value) =>
        `<path d="M${px(x + BAR.width)} ${px(yOf(value))}h4" stroke="${FAINT}" stroke-width="0.8"/>` +
        text(number(value, { signed: true }), [x + BAR.width + 8, yOf(value) + 4], { anchor: 'start' }),
    ),
    text(label, [x + BAR.width + 58, HEAD + height / 2], { fill: FAINT, turn: true }),
  ];
}

const subtitle = ({ task, model, direction }: PatchingRecord): string =>
  `${task.name} · ${model.name} · ${task.pairs} pairs · ${direction}`;

/** Draws one grid. Same record, same bytes. */
export function drawHeatMap(
  record: PatchingRecord,
  grid: GridRecord,
  options: HeatMapOptions = { numbers: false },
): string {
  const frame = frameOf(tableOf(grid.axes), shown(record, grid), options);
  const [width, height] = [px(frame.size.width), px(frame.size.height)];
  const title = `${grid.title[0]?.toUpperCase()}${grid.title.slice(1)}`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${escapeMarkup(`${title}: ${subtitle(record)}`)}">`,
    `<rect class="paper" width="${width}" height="${height}" fill="#ffffff"/>`,
    text(title, [16, 24], { size: 14, anchor: 'start', weight: 'bold' }),
    text(subtitle(record), [16, 42], { anchor: 'start', fill: FAINT }),
    ...drawCells(frame, grid, options.numbers),
    ...drawAxes(frame),
    ...drawBar(frame, shownName(record)),
    '</svg>\n',
  ].join('\n');
}
