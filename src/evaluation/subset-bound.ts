/**
 * What an approximate ranking may have missed: a bound on the largest effect among edges that no one measured, by sampling subsets
 * (Kramár et al. 2024, arXiv:2403.00745, subset sampling).
 *
 * Random subsets of the edges are cut together. An edge's effect c shows in the difference between the mean effects of the subsets
 * with it and without it. Against the hypothesis |c| ≥ θ stands Welch's one-sided test
 *
 *     t = (θ − |mean₊ − mean₋|) / s,    s² = s₊² / n₊ + s₋² / n₋,
 *
 * and the smallest θ that it rejects at the confidence asked for is the edge's bound |mean₊ − mean₋| + t(confidence, ν) · s. That
 * some edge reaches θ is a hypothesis of many parts, rejected when every part is: the largest bound holds for all, uncorrected.
 *
 * It takes for granted what the test does: that what an edge does among random cuts is on average what it does alone, and that
 * means of effects are about normal.
 */
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import type { Engine } from '../engine/core/engine.js';
import { refuse } from '../errors.js';
import type { Example } from '../task/types.js';
import { measureCircuits, type MeasureOptions } from './faithfulness.js';
import { meanOf, studentQuantile } from './statistics/intervals.js';

export interface SubsetSampling {
  /** subsets cut: passes over every pair */
  readonly samples: number;
  /** of an edge to be in a subset */
  readonly probability: number;
  /** of the bound, below 1 */
  readonly confidence: number;
  readonly seed: number;
}

export const SAMPLING_DEFAULTS = { probability: 0.05, confidence: 0.95 };

/** Of one edge, from the subsets it was in and those it was not in; positive = it helps. */
export interface SampledEffect {
  readonly edge: number;
  readonly estimate: number;
  /** |effect| is below it, with the confidence asked for; infinite where the edge was in, or out of, fewer than two subsets */
  readonly bound: number;
}

export interface Missed {
  /** largest |estimate| first: all edges that were sampled */
  readonly effects: readonly SampledEffect[];
  /** none of their effects is larger, with the confidence asked for; 0 where there are none */
  readonly bound: number;
}

/** Subsets are cut in pieces of so many, so that progress and Ctrl-C are never far apart. */
const AT_ONCE = 64;

/**
 * Bounds the effects of all edges but those in `measured`. Cost: at most a forward pass over every pair for each sample.
 * @throws TheveninError evaluation/samples: so few subsets, or such a probability, that most edges would be in none, or in all
 */
export async function boundMissed(
  engine: Engine,
  examples: readonly Example[],
  options: SubsetSampling & MeasureOptions & { readonly measured: readonly number[] },
): Promise<Missed> {
  checkSampling(options);
  const { samples, seed, measured, signal, onProgress, ...measure } = options;
  const { edgeCount } = engine.universe;
  const known = new Set(measured);
  const edges = Array.from({ length: edgeCount }, (_, edge) => edge).filter((edge) => !known.has(edge));
  const random = xoroshiro128plus(seed);
  const tally = new Tally(edges.length);
  for (let done = 0; done < samples; done += AT_ONCE) {
    signal?.throwIfAborted();
    const subsets = Array.from({ length: Math.min(AT_ONCE, samples - done) }, () =>
      edges.map(() => uniformFloat64(random) < options.probability),
    );
    const circuits = subsets.map((subset) => {
      const keep = new Uint8Array(edgeCount).fill(1);
      edges.forEach((edge, i) => (keep[edge] = subset[i] ? 0 : 1));
      return keep;
    });
    const values = await measureCircuits(engine, examples, circuits, { ...measure, ...(signal && { signal }) });
    const clean = meanOf(values.clean);
    values.circuits.forEach((one, i) => tally.add(subsets[i] as boolean[], clean - meanOf(one)));
    onProgress?.(done + subsets.length, samples);
  }
  const effects = edges.map((edge, i) => ({ edge, ...tally.effect(i, options.confidence) }));
  effects.sort((a, b) => Math.abs(b.estimate) - Math.abs(a.estimate) || a.edge - b.edge);
  return { effects, bound: effects.reduce((most, { bound }) => Math.max(most, bound), 0) };
}

/** @throws TheveninError evaluation/samples */
export function checkSampling({ samples, probability, confidence }: Omit<SubsetSampling, 'seed'>): void {
  const say = (why: string): never => refuse('evaluation/samples', why);
  if (!(probability > 0 && probability < 1))
    say(`a probability of ${probability} samples nothing; give one between 0 and 1`);
  if (!(confidence > 0.5 && confidence < 1))
    say(`no bound has the confidence ${confidence}; give one above ½ and below 1`);
  const least = Math.ceil(5 / Math.min(probability, 1 - probability));
  if (samples < least)
    say(`${samples} subsets are too few to be with and without every edge a few times; give at least ${least}`);
}

/** Sums over the subsets with each edge, and over all; effects counted from the first, which keeps their squares small. */
class Tally {
  private readonly count: Float64Array;
  private readonly sum: Float64Array;
  private readonly squares: Float64Array;
  private readonly all = { count: 0, sum: 0, squares: 0 };
  private first: number | null = null;

  constructor(items: number) {
    this.count = new Float64Array(items);
    this.sum = new Float64Array(items);
    this.squares = new Float64Array(items);
  }

  add(subset: readonly boolean[], value: number): void {
    this.first ??= value;
    const x = value - this.first;
    this.all.count++;
    this.all.sum += x;
    this.all.squares += x * x;
    subset.forEach((isIn, item) => {
      if (!isIn) return;
      this.count[item]!++;
      this.sum[item]! += x;
      this.squares[item]! += x * x;
    });
  }

  effect(item: number, confidence: number): Omit<SampledEffect, 'edge'> {
    const [count, sum, squares] = [this.count[item]!, this.sum[item]!, this.squares[item]!];
    const { all } = this;
    return welchBound(
      momentsOf(count, sum, squares),
      momentsOf(all.count - count, all.sum - sum, all.squares - squares),
      confidence,
    );
  }
}

interface Moments {
  readonly count: number;
  readonly mean: number;
  /** of the mean: sample variance / count */
  readonly variance: number;
}

function momentsOf(count: number, sum: number, squares: number): Moments {
  const mean = count === 0 ? 0 : sum / count;
  const variance = count < 2 ? Infinity : Math.max(0, squares - count * mean * mean) / (count - 1) / count;
  return { count, mean, variance };
}

/** The upper confidence bound of |mean of one − mean of the other| (Welch 1947; ν by Satterthwaite). */
function welchBound(one: Moments, other: Moments, confidence: number): { estimate: number; bound: number } {
  const isKnown = one.count > 0 && other.count > 0;
  const estimate = isKnown ? one.mean - other.mean : 0;
  const variance = one.variance + other.variance;
  if (variance === 0) return { estimate, bound: Math.abs(estimate) };
  if (!Number.isFinite(variance)) return { estimate, bound: Infinity };
  const freedom = variance ** 2 / (one.variance ** 2 / (one.count - 1) + other.variance ** 2 / (other.count - 1));
  return { estimate, bound: Math.abs(estimate) + studentQuantile(confidence, freedom) * Math.sqrt(variance) };
}
