/** Free layout by forces between nodes, from seeded random places. */
import forceAtlas2Module from 'graphology-layout-forceatlas2';
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import type { CircuitGraph } from '../graph.js';
import { rounded } from './method.js';
import type { LayoutMethod, Positions } from './method.js';

// The package is CommonJS and exports the function itself, while its types declare a default export.
const loaded: object = forceAtlas2Module;
const forceAtlas2 = loaded as typeof forceAtlas2Module.default;

const ITERATIONS = 500;
/** mean distance of a node to its nearest neighbour after scaling, in columns */
const SPACING = 1.4;

const nearest = (places: readonly (readonly [number, number])[], i: number): number =>
  Math.min(...places.map(([x, y], j) => (j === i ? Infinity : Math.hypot(x - places[i]![0], y - places[i]![1]))));

/** Moved to the first quadrant, scaled so that neighbours are SPACING apart on average, input below logits. */
const normalised = (found: Readonly<Record<string, { x: number; y: number }>>): Positions => {
  const up = (found['logits']?.y ?? 0) < (found['input']?.y ?? 0) ? -1 : 1;
  const names = Object.keys(found);
  const places = names.map((name) => [found[name]!.x, up * found[name]!.y] as const);
  const left = Math.min(...places.map(([x]) => x));
  const bottom = Math.min(...places.map(([, y]) => y));
  const mean = places.reduce((sum, _, i) => sum + nearest(places, i), 0) / places.length;
  const scale = mean > 0 && Number.isFinite(mean) ? SPACING / mean : 1;
  return Object.fromEntries(
    names.map((name, i) => [
      name,
      [rounded((places[i]![0] - left) * scale), rounded((places[i]![1] - bottom) * scale)],
    ]),
  );
};

const place = (graph: CircuitGraph, seed: number): Positions => {
  const random = xoroshiro128plus(seed);
  const start = graph.copy();
  start.forEachNode((node) => {
    start.mergeNodeAttributes(node, { x: uniformFloat64(random), y: uniformFloat64(random) });
  });
  const settings = { ...forceAtlas2.inferSettings(start), adjustSizes: false, barnesHutOptimize: false };
  return normalised(forceAtlas2(start, { iterations: ITERATIONS, settings, getEdgeWeight: null }));
};

export const force: LayoutMethod = {
  key: 'force',
  title: 'free, by forces between nodes',
  reference: 'Jacomy, Venturini, Heymann & Bastian 2014, ForceAtlas2',
  seeded: true,
  place,
};
