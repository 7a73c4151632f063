/** The geometry of a circuit's picture: where boxes, ports and curves lie, in pixels; no markup. */
import type { ReportRecord } from '../records/report.js';

export interface Box {
  readonly name: string;
  readonly kind: 'input' | 'head' | 'mlp' | 'logits';
  readonly layer: number;
  /** centre */
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface Curve {
  readonly name: string;
  readonly reader: 'q' | 'k' | 'v' | 'mlp' | 'logits';
  readonly score: number;
  readonly exact: number | null;
  /** line width in pixels, proportional to |score| */
  readonly width: number;
  /** start, two control points, end */
  readonly points: readonly [Point, Point, Point, Point];
}

export type Point = readonly [number, number];

export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly boxes: readonly Box[];
  readonly curves: readonly Curve[];
  /** one per layer with nodes, where the layout has rows */
  readonly rows: readonly { readonly label: string; readonly y: number }[];
  /** whether lines enter heads at their q, k and v ports */
  readonly hasPorts: boolean;
  /** |score| of the widest line */
  readonly scale: number;
}

const COLUMN = 84;
const ROW = 92;
export const WIDEST_LINE = 6;
const THINNEST_LINE = 1;
/** room for the legend */
const NARROWEST = 470;
const MARGIN = { left: 78, right: 46, top: 58, bottom: 30 };
const SIZES = {
  input: { width: 66, height: 28 },
  head: { width: 62, height: 36 },
  mlp: { width: 50, height: 28 },
  logits: { width: 66, height: 28 },
};
/** how far a head's q and v ports lie from its middle */
export const PORT = 19;
const PORT_OFFSET = { q: -PORT, k: 0, v: PORT, mlp: 0, logits: 0 };
/** room for the arrow's head between line and box */
export const ARROW = 7;

const LAYER = /^[am](\d+)/;

const kindOf = (name: string): Box['kind'] => {
  if (name === 'input' || name === 'logits') return name;
  return name.startsWith('m') ? 'mlp' : 'head';
};

const layerOf = (name: string, nLayers: number): number => {
  if (name === 'input') return -1;
  return name === 'logits' ? nLayers : Number(LAYER.exec(name)![1]);
};

/** `a0.h1->a2.h3<k>` → from a0.h1 to a2.h3 by its key. */
const endsOf = (name: string): { source: string; target: string; reader: Curve['reader'] } => {
  const [source = '', into = ''] = name.split('->');
  const [target = '', read] = into.split('<');
  if (read !== undefined) return { source, target, reader: read.charAt(0) as 'q' | 'k' | 'v' };
  return { source, target, reader: target === 'logits' ? 'logits' : 'mlp' };
};

const boxesOf = (record: ReportRecord): Box[] => {
  const nodes = [...new Set(['input', ...record.circuit.nodes, 'logits'])];
  const at = (name: string): readonly [number, number] => record.layout.positions[name] ?? [0, 0];
  const left = Math.min(...nodes.map((name) => at(name)[0]));
  const top = Math.max(...nodes.map((name) => at(name)[1]));
  return nodes.map((name) => {
    const kind = kindOf(name);
    const x = MARGIN.left + SIZES.head.width / 2 + (at(name)[0] - left) * COLUMN;
    const y = MARGIN.top + SIZES.head.height / 2 + (top - at(name)[1]) * ROW;
    return { name, kind, layer: layerOf(name, record.graph.shape.nLayers), x, y, ...SIZES[kind] };
  });
};

type Route = (from: Box, to: Box, reader: Curve['reader']) => Curve['points'];

/** Between MLPs of one column: an arc on the right, wider the farther it goes. */
const besideColumn: Route = (from, to) => {
  const start: Point = [from.x + from.width / 2, from.y - 4];
  const end: Point = [to.x + to.width / 2 + ARROW, to.y + 4];
  const bulge = Math.min(46, 14 + 0.12 * Math.abs(from.y - to.y));
  return [start, [start[0] + bulge, start[1]], [end[0] + bulge, end[1]], end];
};

/** Lines that meet at one end spread a little, towards where they come from. */
const spread = (distance: number, room: number): number => room * Math.tanh(distance / 250);

/** Upward: out of the top (an MLP: out of its left side), into a port from below (an MLP: into its left side). */
const upward: Route = (from, to, reader) => {
  const fromSide = from.kind === 'mlp' && from.x > to.x;
  const intoSide = to.kind === 'mlp' && from.x < to.x;
  const fan = to.kind === 'head' ? 0 : spread(from.x - to.x, to.width / 3);
  const start: Point = fromSide
    ? [from.x - from.width / 2, from.y - 5]
    : [from.x + spread(to.x - from.x, from.width / 3), from.y - from.height / 2];
  const end: Point = intoSide
    ? [to.x - to.width / 2 - ARROW, to.y + 4]
    : [to.x + PORT_OFFSET[reader] + fan, to.y + to.height / 2 + ARROW];
  const rise = Math.abs(start[1] - end[1]) / 3;
  const reach = Math.min(60, Math.abs(start[0] - end[0]) / 2);
  return [
    start,
    fromSide ? [start[0] - reach, start[1]] : [start[0], start[1] - rise],
    intoSide ? [end[0] - reach, end[1]] : [end[0], end[1] + rise],
    end,
  ];
};

/** Where a line from a box's centre towards a point leaves the box, `room` pixels farther out. */
const border = (box: Box, [x, y]: Point, room: number): Point => {
  const [dx, dy] = [x - box.x, y - box.y];
  const length = Math.hypot(dx, dy) || 1;
  const inside = Math.min(box.width / 2 / (Math.abs(dx) || 1e-9), box.height / 2 / (Math.abs(dy) || 1e-9));
  const t = Math.min(1, inside + room / length);
  return [box.x + dx * t, box.y + dy * t];
};

/** Straight from box to box, for layouts without rows; a head's q, k and v run side by side. */
const straight: Route = (from, to, reader) => {
  const length = Math.hypot(to.x - from.x, to.y - from.y) || 1;
  const aside = PORT_OFFSET[reader] / 3;
  const shift: Point = [(-(to.y - from.y) / length) * aside, ((to.x - from.x) / length) * aside];
  const moved = ([x, y]: Point): Point => [x + shift[0], y + shift[1]];
  const start = moved([from.x, from.y]);
  const end = moved(border(to, [from.x, from.y], ARROW));
  const between = (t: number): Point => [start[0] + (end[0] - start[0]) * t, start[1] + (end[1] - start[1]) * t];
  return [start, between(1 / 3), between(2 / 3), end];
};

const routeFor = (record: ReportRecord): Route => {
  if (record.layout.key !== 'layered') return straight;
  return (from, to, reader) => {
    const sameColumn = from.kind === 'mlp' && to.kind === 'mlp' && from.x === to.x;
    return (sameColumn ? besideColumn : upward)(from, to, reader);
  };
};

const curvesOf = (record: ReportRecord, boxes: readonly Box[]): Curve[] => {
  const byName = new Map(boxes.map((box) => [box.name, box]));
  const route = routeFor(record);
  const scale = largest(record);
  const curves = record.circuit.edges.map(({ name, score, exact }): Curve => {
    const { source, target, reader } = endsOf(name);
    const width = Math.max(THINNEST_LINE, scale > 0 ? (WIDEST_LINE * Math.abs(score)) / scale : 0);
    return { name, reader, score, exact, width, points: route(byName.get(source)!, byName.get(target)!, reader) };
  });
  return curves.sort((a, b) => b.width - a.width); // thin lines on top of thick ones
};

const largest = (record: ReportRecord): number =>
  record.circuit.edges.reduce((most, { score }) => Math.max(most, Math.abs(score)), 0);

/** One label per layer that has heads (or MLPs alone), at the height of its row. */
const rowsOf = (record: ReportRecord, boxes: readonly Box[]): Picture['rows'] => {
  if (record.layout.key !== 'layered') return [];
  const heights = new Map<number, number>();
  for (const { kind, layer, y } of boxes) {
    if (kind === 'head' || kind === 'mlp') heights.set(layer, Math.max(y, heights.get(layer) ?? -Infinity));
  }
  return [...heights].sort(([a], [b]) => a - b).map(([layer, y]) => ({ label: `layer ${layer}`, y }));
};

/** Lays a record's circuit out on paper. */
export const pictureOf = (record: ReportRecord): Picture => {
  const boxes = boxesOf(record);
  const right = Math.max(...boxes.map(({ x, width }) => x + width / 2));
  const bottom = Math.max(...boxes.map(({ y, height }) => y + height / 2));
  return {
    width: Math.max(right + MARGIN.right, NARROWEST),
    height: bottom + MARGIN.bottom,
    boxes,
    curves: curvesOf(record, boxes),
    rows: rowsOf(record, boxes),
    hasPorts: record.layout.key === 'layered',
    scale: largest(record),
  };
};
