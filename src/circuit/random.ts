/**
 * Random circuits of a given size: the null against which a found circuit is judged.
 *
 * Which size is fair? A random subset of a few hundred edges of a large graph is almost all dead ends: pruned, nothing is left,
 * and any circuit beats nothing. A found circuit is therefore compared with random circuits that have as many edges *after*
 * pruning. Edges are added in a uniformly random order until the part that connects input to logits has at least that many (a
 * uniform subset at the density at which so many edges survive); one edge can complete a path and connect several at once, so
 * surplus edges are then removed, again in random order, each only if enough remain. Where that cannot hit the number exactly
 * (a handful of edges in a large graph), other orders are tried and the closest circuit is kept.
 */
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import type { RandomGenerator } from 'pure-rand/types/RandomGenerator';
import { refuse } from '../errors.js';
import { countIn, prune } from './prune.js';
import type { Circuit, Universe } from './types.js';

const ATTEMPTS = 4;

/** A uniformly random order of 0 … n-1 (Fisher–Yates). */
export const shuffled = (n: number, random: RandomGenerator): Uint32Array => {
  const order = Uint32Array.from({ length: n }, (_, i) => i);
  for (let i = n - 1; i > 0; i--) {
    const j = uniformInt(random, 0, i);
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
};

interface Draw {
  readonly chosenCount: number;
  readonly edges: Uint8Array;
  readonly edgeCount: number;
}

/** The shortest prefix of `order` whose pruned edges number at least `edgeCount` (pruning is monotone: bisection finds it). */
const shortestPrefix = (universe: Universe, order: Uint32Array, edgeCount: number): Draw => {
  const take = (n: number): Draw => {
    const mask = new Uint8Array(universe.edgeCount);
    for (let i = 0; i < n; i++) mask[order[i]!] = 1;
    const edges = prune(universe, mask);
    return { chosenCount: n, edges, edgeCount: countIn(edges) };
  };
  let tooFew = -1;
  let best = take(order.length);
  while (best.chosenCount - tooFew > 1) {
    const draw = take((tooFew + best.chosenCount) >> 1);
    if (draw.edgeCount >= edgeCount) best = draw;
    else tooFew = draw.chosenCount;
  }
  return best;
};

/** Removes edges in random order, each where at least `edgeCount` remain, dead ends going with it. */
const trim = (universe: Universe, draw: Draw, edgeCount: number, random: RandomGenerator): Draw => {
  let { edges, edgeCount: left } = draw;
  const present = Uint32Array.from([...edges.keys()].filter((e) => edges[e]));
  for (const i of shuffled(present.length, random)) {
    if (left === edgeCount) break;
    const without = Uint8Array.from(edges);
    without[present[i]!] = 0;
    const pruned = prune(universe, without);
    const remaining = countIn(pruned);
    if (remaining < edgeCount) continue;
    edges = pruned;
    left = remaining;
  }
  return { ...draw, edges, edgeCount: left };
};

const drawOne = (universe: Universe, edgeCount: number, random: RandomGenerator): Draw => {
  let best: Draw | undefined;
  for (let attempt = 0; attempt < ATTEMPTS && best?.edgeCount !== edgeCount; attempt++) {
    const prefix = shortestPrefix(universe, shuffled(universe.edgeCount, random), edgeCount);
    const draw = trim(universe, prefix, edgeCount, random);
    if (best === undefined || draw.edgeCount < best.edgeCount) best = draw;
  }
  return best!;
};

/**
 * `count` random circuits of `edgeCount` edges after pruning, each input to logits; the same seed gives the same circuits.
 * `chosenCount` of a circuit is the size of the random subset it was cut from.
 */
export const randomCircuits = (
  universe: Universe,
  { edgeCount, count, seed }: { readonly edgeCount: number; readonly count: number; readonly seed: number },
): readonly Circuit[] => {
  if (!Number.isSafeInteger(edgeCount) || edgeCount < 0 || edgeCount > universe.edgeCount) {
    refuse('circuit/selection', `random circuits need 0 … ${universe.edgeCount} edges, got ${edgeCount}`);
  }
  const random = xoroshiro128plus(seed);
  return Array.from({ length: count }, () => ({
    ...drawOne(universe, edgeCount, random),
    selection: { rule: 'random', by: 'absolute', requested: edgeCount, tiesLeftOut: 0 },
  }));
};
