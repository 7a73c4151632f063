/**
 * A grid's heat map as SVG: layers upward as in the picture of a circuit (or downward, if asked), symmetric colours about 0, a colour bar over the range of
 * the values. All styles are attributes, so that editors and LaTeX tools show what browsers show; classes let a page restyle it.
 */
import { fixed } from '../../../fixed.js';
import { escapeMarkup, number } from '../../format.js';
import { cellName, shown, shownName, strongestCells } from '../../records/patching.js';
import type { GridRecord, HeatAxis, PatchingRecord } from '../../records/patching.js';
import { CHARACTER, FAINT, picture, px, text } from '../svg-text.js';
import { colourAt, inkOn } from './colours.js';
import { flipped, tableOf, type HeatTable } from './table.js';

const HEAD = 62;
const BAR = { gap: 26, width: 13, label: 58, beyond: 21, least: 110 };
const LONGEST = 22;

export interface HeatMapOptions {
  /** write each value into its cell */
  readonly numbers: boolean;
  /** the first row at the top instead of at the bottom; default false */
  readonly flip?: boolean;
}

/** What is drawn. */
export interface HeatMap {
  readonly title: string;
  readonly subtitle: string;
  readonly axes: readonly HeatAxis[];
  /** one per cell, the last axis fastest */
  readonly values: readonly number[];
  /** what the values are */
  readonly valueName: string;
  /** what is said of a cell beside its value */
  readonly note: (cell: number) => string;
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

const short = (label: string): string => (label.length > LONGEST ? `${label.slice(0, LONGEST - 1)}…` : label);
const widest = (labels: readonly string[]): number =>
  Math.max(0, ...labels.map((label) => short(label).length)) * CHARACTER;
/** Column labels stand upright where they would not fit side by side. */
const areUpright = (labels: readonly string[], width: number): boolean => widest(labels) > width - 4;

/** Cells named below a picture of thousands. */
const NAMED = 10;
const NAMED_LINE = 15;

/** How far from the bar its name stands: behind the longest of its numbers. */
const labelAt = (values: readonly number[]): number => {
  const ends = [values.reduce((a, b) => Math.max(a, b), 0), values.reduce((a, b) => Math.min(a, b), 0)];
  const longest = Math.max(
    ...ends.flatMap((end) => [end, end / 2]).map((value) => number(value, { signed: true }).length),
  );
  return Math.max(BAR.label, 8 + CHARACTER * longest + 12);
};

function frameOf(table: HeatTable, values: readonly number[], { numbers }: HeatMapOptions): Frame {
  const [rows, columns] = [table.rowLabels.length, table.columnLabels.length];
  const width = numbers && !table.vast ? 40 : columns === 1 ? 64 : columns > 40 ? 12 : 26;
  const height = rows > 40 ? 13 : 20;
  const left = 44 + widest(table.rowLabels);
  const right = left + columns * width;
  const bottom = HEAD + rows * height;
  const below = areUpright(table.columnLabels, width) ? widest(table.columnLabels) : 12;
  const limit = values.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0);
  const named = table.vast ? NAMED_LINE * (1 + Math.ceil(NAMED / 2)) : 0;
  const size = {
    width: Math.max(right + BAR.gap + BAR.width + labelAt(values) + BAR.beyond, 420),
    height: Math.max(bottom + below + 36 + named, HEAD + BAR.least + 24),
  };
  return { table, values, limit, left, cell: { width, height }, right, bottom, size };
}

/** Two decimals; never a minus before zeros. */
const inCell = (value: number): string => fixed(Math.round(value * 100) / 100, 2).replace('-', '−');

/** The top of a row; the first row stands lowest. */
const topOf = ({ bottom, cell }: Frame, row: number): number => bottom - (row + 1) * cell.height;

/** Of thousands of cells those under a hundredth of the largest are left to the ground, which has the colour of 0. */
function drawCells(frame: Frame, map: HeatMap, numbers: boolean): string[] {
  const { table, values, limit, left, cell } = frame;
  const least = table.vast ? limit / 100 : 0;
  const drawn = table.cells.flatMap((row, r) =>
    row.map((place, c) => {
      const value = values[place] as number;
      if (Math.abs(value) < least) return '';
      const [x, y] = [left + c * cell.width, topOf(frame, r)];
      const title = `${cellName(map.axes, place)}: ${number(value, { signed: true })}${map.note(place)}`;
      const written =
        numbers && !table.vast
          ? text(inCell(value), [x + cell.width / 2, y + cell.height / 2 + 3.5], {
              size: 9.5,
              fill: inkOn(value, limit),
              fixed: true,
            })
          : '';
      return `<rect x="${px(x)}" y="${px(y)}" width="${px(cell.width)}" height="${px(cell.height)}" fill="${colourAt(value, limit)}" stroke="#ffffff" stroke-width="0.6"><title>${escapeMarkup(title)}</title></rect>${written}`;
    }),
  );
  return [...(table.vast ? drawGround(frame) : []), ...drawn.filter((one) => one !== '')];
}

const drawGround = ({ table, left, cell, ...frame }: Frame): string[] =>
  table.cells.map(
    (row, r) =>
      `<rect x="${px(left)}" y="${px(topOf({ table, left, cell, ...frame }, r))}" width="${px(row.length * cell.width)}" height="${px(cell.height)}" fill="${colourAt(0, 1)}"/>`,
  );

/** The strongest cells in words, in two columns. */
function drawNamed(frame: Frame, { axes, values }: HeatMap): string[] {
  if (!frame.table.vast) return [];
  const top = frame.size.height - NAMED_LINE * (1 + Math.ceil(NAMED / 2));
  const names = strongestCells(values, NAMED).map(
    (cell, i) => `${i + 1}. ${cellName(axes, cell)}: ${number(values[cell] as number, { signed: true })}`,
  );
  return names.map((name, i) =>
    text(name, [16 + (i % 2) * 330, top + NAMED_LINE * (1 + Math.floor(i / 2))], { anchor: 'start' }),
  );
}

/** Every label where there is room, else every second, fifth, … */
const everyNth = (size: number): number => [1, 2, 5, 10, 20, 50].find((step) => size * step >= 12) ?? 100;

function drawAxes(frame: Frame): string[] {
  const { table, left, cell, right, bottom } = frame;
  const step = table.vast ? 1 : everyNth(cell.height);
  const rows = table.rowLabels.map((label, row) =>
    row % step === 0 ? text(short(label), [left - 7, topOf(frame, row) + cell.height / 2 + 4], { anchor: 'end' }) : '',
  );
  const upright = areUpright(table.columnLabels, cell.width);
  const columnStep = upright && !table.vast ? everyNth(cell.width) : 1;
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
  const low = values.reduce((least, value) => Math.min(least, value), 0);
  const high = values.reduce((largest, value) => Math.max(largest, value), 0);
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
    text(label, [x + BAR.width + labelAt(values), HEAD + height / 2], { fill: FAINT, turn: true }),
  ];
}

const subtitle = ({ task, model, direction }: PatchingRecord): string =>
  `${task.name} · ${model.name} · ${task.pairs} pairs · ${direction}`;

/** Draws one grid of patching. Same record, same bytes. */
export const drawHeatMap = (
  record: PatchingRecord,
  grid: GridRecord,
  options: HeatMapOptions = { numbers: false },
): string =>
  drawMap(
    {
      ...{ title: grid.title, subtitle: subtitle(record), axes: grid.axes },
      ...{ values: shown(record, grid), valueName: shownName(record) },
      note: (cell) => ` (metric ${number(grid.mean[cell] as number)})`,
    },
    options,
  );

/** Same map, same bytes. */
export function drawMap(map: HeatMap, options: HeatMapOptions = { numbers: false }): string {
  const table = tableOf(map.axes);
  const frame = frameOf(options.flip ? flipped(table) : table, map.values, options);
  const title = `${map.title[0]?.toUpperCase()}${map.title.slice(1)}`;
  return picture({ title, subtitle: map.subtitle, ...frame.size }, [
    ...drawCells(frame, map, options.numbers),
    ...drawAxes(frame),
    ...drawBar(frame, map.valueName),
    ...drawNamed(frame, map),
  ]);
}
