/**
 * Layers upward: `input` at the bottom, one row per layer that has nodes, `logits` on top; the heads of a layer side by side, the
 * MLPs in one column at the right, half a row above their layer's heads (which they may read).
 *
 * Heads start in the order of their index and are then moved, one at a time, to the free place in their row that makes the
 * picture best: short edges, few edges passing behind other nodes. (A local search after the barycentre method of
 * Sugiyama, Tagawa & Toda 1981; deterministic.)
 */
import type { CircuitGraph } from '../graph.js';
import { rounded } from './method.js';
import type { LayoutMethod, Positions } from './method.js';

const SWEEPS = 6;
/** places a head can take are half a column apart; two heads of a row are at least one column apart */
const STEP = 0.5;
/** between the rightmost head and the MLPs, in columns */
const MLP_GAP = 1.5;
/** from one layer that has an MLP alone to the next, in rows */
const MLP_ROW = 0.55;
/** above this many edge × node checks per picture the search is not worth its time */
const LARGEST_SEARCH = 20_000;
/** cost of an edge behind a node, in columns of edge length */
const PASSING = 3;

interface Place {
  x: number;
  y: number;
}
interface Line {
  readonly from: Place;
  readonly to: Place;
}

/** An edge leaves and arrives vertically: x as a function of the way up, 0 … 1. */
const along = ({ from, to }: Line, t: number): number => from.x + (to.x - from.x) * t * t * (3 - 2 * t);

const costOfLine = (line: Line, places: readonly Place[]): number => {
  const { from, to } = line;
  let cost = Math.abs(from.x - to.x);
  for (const place of places) {
    if (place.y <= from.y || place.y >= to.y) continue;
    const distance = Math.abs(along(line, (place.y - from.y) / (to.y - from.y)) - place.x);
    if (distance < 0.55) cost += PASSING * (1 - distance / 0.55) + 1;
  }
  return cost;
};

/** Layer → y: layers that have nodes are one row apart, two layers with an MLP alone less. */
const rows = (graph: CircuitGraph): Map<number, number> => {
  const layers = new Map<number, boolean>();
  graph.forEachNode((_, { kind, layer }) => layers.set(layer, layers.get(layer) === true || kind !== 'mlp'));
  const ordered = [...layers].sort(([a], [b]) => a - b);
  let y = 0;
  return new Map(
    ordered.map(([layer, full], i) => {
      const fullBefore = ordered[i - 1]?.[1] ?? true;
      if (i > 0) y += full || fullBefore ? 1 : MLP_ROW;
      return [layer, y];
    }),
  );
};

const headsByLayer = (graph: CircuitGraph): string[][] => {
  const layers = new Map<number, string[]>();
  graph.forEachNode((node, { kind, layer }) => {
    if (kind === 'head') layers.set(layer, [...(layers.get(layer) ?? []), node]);
  });
  return [...layers.values()];
};

/** Heads of a row start centred; input and logits in the middle; MLPs right of the widest row. */
const start = (graph: CircuitGraph, layers: readonly string[][], width: number): Map<string, Place> => {
  const row = rows(graph);
  const places = new Map<string, Place>();
  const hasHeads = layers.length > 0;
  graph.forEachNode((node, { kind, layer }) => {
    const y = row.get(layer)! + (kind === 'mlp' && hasHeads ? 0.5 : 0);
    places.set(node, { x: kind === 'mlp' && hasHeads ? width + 0.5 : (width - 1) / 2, y });
  });
  for (const heads of layers) {
    heads.forEach((head, i) => (places.get(head)!.x = (width - heads.length) / 2 + i));
  }
  return places;
};

/** Moves each head of a row to its best free place, given everything else. Returns whether anything moved. */
const improveRow = (
  heads: readonly string[],
  width: number,
  { places, lines }: { places: ReadonlyMap<string, Place>; lines: readonly Line[] },
): boolean => {
  const all = [...places.values()];
  let moved = false;
  for (const head of heads) {
    const place = places.get(head)!;
    const others = heads.filter((other) => other !== head).map((other) => places.get(other)!.x);
    const total = (): number => lines.reduce((sum, line) => sum + costOfLine(line, all), 0);
    let best = { x: place.x, cost: total() };
    for (let x = 0; x <= width - 1; x += STEP) {
      if (others.some((other) => Math.abs(other - x) < 1)) continue;
      place.x = x;
      const cost = total();
      if (cost < best.cost - 1e-9) best = { x, cost };
    }
    moved ||= best.x !== place.x;
    place.x = best.x;
  }
  return moved;
};

/** Brings the MLPs' column next to the heads and nodes it is right of. */
const closeUp = (graph: CircuitGraph, places: ReadonlyMap<string, Place>): void => {
  const mlps = graph.filterNodes((_, { kind }) => kind === 'mlp');
  if (mlps.length + 2 === graph.order) return; // no heads: the MLPs stand in the middle
  const others = graph.filterNodes((_, { kind }) => kind !== 'mlp').map((node) => places.get(node)!.x);
  for (const mlp of mlps) places.get(mlp)!.x = Math.max(...others) + MLP_GAP;
};

const place = (graph: CircuitGraph): Positions => {
  const layers = headsByLayer(graph);
  const widest = Math.max(1, ...layers.map((heads) => heads.length));
  const width = widest + 2; // room to move aside
  const places = start(graph, layers, width);
  const lines = graph.mapEdges((_edge, _attributes, source, target): Line => ({
    from: places.get(source)!,
    to: places.get(target)!,
  }));
  if (lines.length * places.size <= LARGEST_SEARCH) {
    for (let sweep = 0; sweep < SWEEPS; sweep++) {
      const moved = layers.map((heads) => improveRow(heads, width, { places, lines }));
      if (!moved.includes(true)) break;
    }
  }
  closeUp(graph, places);
  return Object.fromEntries([...places].map(([node, { x, y }]) => [node, [rounded(x), rounded(y)]]));
};

export const layered: LayoutMethod = {
  key: 'layered',
  title: 'layers upward, heads and MLPs in columns',
  reference: 'after Sugiyama, Tagawa & Toda 1981',
  seeded: false,
  place,
};
