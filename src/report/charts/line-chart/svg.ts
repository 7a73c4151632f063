/**
 * Lines with their intervals as bands, as SVG: means over a number such as a layer or a coefficient. Colours are those that
 * colour-blind readers can tell apart (Okabe & Ito 2008); every line also has a mark of its own shape.
 */
import { asGiven, escapeMarkup, number } from '../../format.js';
import { CHARACTER, FAINT, INK, picture, px, text } from '../svg-text.js';
import { ticksOf } from './ticks.js';

export interface ChartPoint {
  readonly x: number;
  readonly mean: number;
  /** the 95 % interval; null where there is none */
  readonly low: number | null;
  readonly high: number | null;
}

export interface ChartLine {
  readonly name: string;
  readonly points: readonly ChartPoint[];
}

export interface LineChart {
  readonly title: string;
  readonly subtitle: string;
  readonly xName: string;
  readonly yName: string;
  readonly lines: readonly ChartLine[];
  /** levels that the lines are compared with, drawn across */
  readonly levels?: readonly { readonly name: string; readonly value: number }[];
}

const COLOURS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9'];
const PLOT = { left: 74, top: 62, width: 430, height: 230 };
const BELOW = 46;

interface Frame {
  readonly x: (value: number) => number;
  readonly y: (value: number) => number;
  readonly xTicks: readonly number[];
  readonly yTicks: readonly number[];
}

const isNumber = (x: number | null): x is number => x !== null;

function frameOf({ lines, levels = [] }: LineChart): Frame {
  const points = lines.flatMap((line) => line.points);
  const xs = points.map(({ x }) => x);
  const ys = [
    ...points.flatMap(({ mean, low, high }) => [mean, low, high].filter(isNumber)),
    ...levels.map(({ value }) => value),
  ];
  const xTicks = ticksOf(Math.min(...xs), Math.max(...xs), { most: 9 });
  const yTicks = ticksOf(Math.min(...ys), Math.max(...ys), { most: 7 });
  const [left, right] = [Math.min(...xs), Math.max(...xs)];
  const [low, high] = [Math.min(...ys, yTicks[0] as number), Math.max(...ys, yTicks.at(-1) as number)];
  const share = (value: number, from: number, to: number): number => (to === from ? 0.5 : (value - from) / (to - from));
  return {
    x: (value) => PLOT.left + 10 + (PLOT.width - 20) * share(value, left, right),
    y: (value) => PLOT.top + PLOT.height * (1 - share(value, low, high)),
    xTicks: xTicks.filter(
      (tick) => tick >= left && tick <= right && (Number.isInteger(tick) || !xs.every(Number.isInteger)),
    ),
    yTicks,
  };
}

const right = PLOT.left + PLOT.width;
const bottom = PLOT.top + PLOT.height;

function drawAxes({ x, y, xTicks, yTicks }: Frame, { xName, yName }: LineChart): string[] {
  return [
    ...yTicks.map(
      (tick) =>
        `<path class="rule" d="M${px(PLOT.left)} ${px(y(tick))}H${px(right)}" stroke="${tick === 0 ? FAINT : '#d8dee4'}" stroke-width="${tick === 0 ? 1 : 0.7}"/>` +
        text(asGiven(tick), [PLOT.left - 8, y(tick) + 4], { anchor: 'end' }),
    ),
    ...xTicks.map(
      (tick) =>
        `<path d="M${px(x(tick))} ${px(bottom)}v5" stroke="${FAINT}" stroke-width="0.8"/>` +
        text(asGiven(tick), [x(tick), bottom + 18]),
    ),
    `<path d="M${px(PLOT.left)} ${px(bottom)}H${px(right)}" stroke="${FAINT}" stroke-width="0.8"/>`,
    text(xName, [(PLOT.left + right) / 2, bottom + 36], { fill: FAINT }),
    text(yName, [18, (PLOT.top + bottom) / 2], { fill: FAINT, turn: true }),
  ];
}

/** Marks of a shape for each line, drawn about the origin. */
const MARKS = [
  '<circle r="3.2"/>',
  '<rect x="-2.9" y="-2.9" width="5.8" height="5.8"/>',
  '<path d="M0 -3.9L3.7 2.6H-3.7Z"/>',
  '<path d="M0 -4.2L4.2 0L0 4.2L-4.2 0Z"/>',
  '<path d="M0 3.9L3.7 -2.6H-3.7Z"/>',
  '<path d="M-3.4 -3.4L3.4 3.4M-3.4 3.4L3.4 -3.4" stroke-width="1.8"/>',
];

const mark = (line: number, [x, y]: readonly [number, number], title = ''): string => {
  const colour = COLOURS[line % COLOURS.length] as string;
  return `<g transform="translate(${px(x)} ${px(y)})" fill="${colour}" stroke="${colour}" stroke-width="0">${MARKS[line % MARKS.length]}${title === '' ? '' : `<title>${escapeMarkup(title)}</title>`}</g>`;
};

/** Consecutive points that have an interval make one band. */
function bandsOf(points: readonly ChartPoint[]): (readonly ChartPoint[])[] {
  const bands: ChartPoint[][] = [[]];
  for (const point of points)
    if (point.low === null || point.high === null) bands.push([]);
    else (bands.at(-1) as ChartPoint[]).push(point);
  return bands.filter((band) => band.length > 1);
}

const path = (points: readonly (readonly [number, number])[]): string =>
  `M${points.map(([x, y]) => `${px(x)} ${px(y)}`).join('L')}`;

function drawBand({ x, y }: Frame, { points }: ChartLine, line: number): string[] {
  return bandsOf(points).map((band) => {
    const upper = band.map((point): [number, number] => [x(point.x), y(point.high as number)]);
    const lower = band.map((point): [number, number] => [x(point.x), y(point.low as number)]);
    return `<path class="band" d="${path([...upper, ...lower.reverse()])}Z" fill="${COLOURS[line % COLOURS.length]}" fill-opacity="0.16"/>`;
  });
}

function drawLine(
  { x, y }: Frame,
  { name, points }: ChartLine,
  { chart, line }: { chart: LineChart; line: number },
): string[] {
  const places = points.map((point): [number, number] => [x(point.x), y(point.mean)]);
  const said = ({ x: at, mean, low, high }: ChartPoint): string =>
    `${name}, ${chart.xName} ${asGiven(at)}: ${number(mean)}${low === null || high === null ? '' : ` [${number(low)}, ${number(high)}]`}`;
  return [
    `<path d="${path(places)}" fill="none" stroke="${COLOURS[line % COLOURS.length]}" stroke-width="1.8" stroke-linejoin="round"/>`,
    ...points.map((point, i) => mark(line, places[i] as [number, number], said(point))),
  ];
}

/** Levels closer to each other than a line of text are named above each other. */
function drawLevels({ y }: Frame, { levels = [] }: LineChart): string[] {
  const sorted = [...levels].sort((a, b) => a.value - b.value);
  let last = Infinity;
  return sorted.map(({ name, value }) => {
    const at = Math.min(y(value) + 4, last - 13);
    last = at;
    return (
      `<path d="M${px(PLOT.left)} ${px(y(value))}H${px(right)}" stroke="${FAINT}" stroke-width="1.1" stroke-dasharray="5 4"/>` +
      text(name, [right + 8, at], { anchor: 'start', fill: FAINT })
    );
  });
}

function drawKey({ lines }: LineChart): string[] {
  if (lines.length < 2) return [];
  return lines.map(({ name }, line) => {
    const y = PLOT.top + 8 + line * 19;
    const x = right + KEY_GAP;
    return (
      `<path d="M${px(x)} ${px(y)}h22" stroke="${COLOURS[line % COLOURS.length]}" stroke-width="1.8"/>` +
      mark(line, [x + 11, y]) +
      text(name, [x + 30, y + 4], { anchor: 'start', fill: INK })
    );
  });
}

const KEY_GAP = 16;

/** Room for the key or, beside a single line, for the names of the levels. */
function besideOf({ lines, levels = [] }: LineChart): number {
  const names = [
    ...(lines.length < 2 ? [] : lines.map(({ name }) => name.length + 6)),
    ...levels.map(({ name }) => name.length + 1),
  ];
  return Math.max(20, KEY_GAP + CHARACTER * Math.max(0, ...names));
}

/** Draws at most six lines. Same chart, same bytes. */
export function drawLineChart(chart: LineChart): string {
  const frame = frameOf(chart);
  const size = { width: right + besideOf(chart), height: bottom + BELOW };
  return picture({ title: chart.title, subtitle: chart.subtitle, ...size }, [
    ...drawAxes(frame, chart),
    ...chart.lines.flatMap((line, i) => drawBand(frame, line, i)),
    ...drawLevels(frame, chart),
    ...chart.lines.flatMap((line, i) => drawLine(frame, line, { chart, line: i })),
    ...drawKey(chart),
  ]);
}
