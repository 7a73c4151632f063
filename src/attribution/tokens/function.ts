/** What attribution asks about: any function of a vector whose gradient is known, be it a program or a model's metric. */
import type { Point } from '../../engine/gradients/gradient.js';

/** A function from a vector to one number. */
export interface ScalarFunction {
  /** how many points it is best given at once */
  readonly atOnce: number;
  values(points: readonly Float64Array[]): Promise<Float64Array>;
  gradients(points: readonly Float64Array[]): Promise<readonly Float64Array[]>;
}

/** What is explained: the function at `x`, as against its value at `baseline`, a vector of the same size. */
export interface Way {
  readonly x: Float64Array;
  readonly baseline: Float64Array;
}

/** Elements that are moved together. */
export type Group = readonly number[];

/** The function at several points that exist only while they are needed: all of them at once could be more than memory holds. */
export async function valuesAt(
  f: ScalarFunction,
  count: number,
  pointAt: (i: number) => Float64Array,
): Promise<Float64Array> {
  const values = new Float64Array(count);
  for (const places of chunks(count, f.atOnce)) values.set(await f.values(places.map(pointAt)), places[0]);
  return values;
}

/** Σ weight · ∇f over points on the line from the baseline (0) to x (1). Cost: a forward and a backward pass per point. */
export async function averageGradient(f: ScalarFunction, way: Way, points: readonly Point[]): Promise<Float64Array> {
  const sum = new Float64Array(way.x.length);
  for (const places of chunks(points.length, f.atOnce)) {
    const gradients = await f.gradients(places.map((i) => pointOn(way, (points[i] as Point).at)));
    places.forEach((i, k) => addTo(sum, gradients[k] as Float64Array, (points[i] as Point).weight));
  }
  return sum;
}

/** baseline + at · (x − baseline); exactly x at 1 */
export const pointOn = ({ x, baseline }: Way, at: number): Float64Array =>
  at === 1 ? x : baseline.map((from, i) => from + at * ((x[i] as number) - from));

/** The elements of `groups` at the baseline, all others at x. */
export function withAtBaseline({ x, baseline }: Way, groups: readonly Group[]): Float64Array {
  const point = x.slice();
  for (const group of groups) for (const i of group) point[i] = baseline[i] as number;
  return point;
}

/** Whether x and the baseline are the same there: then nothing can be due to it. */
export const isSame = ({ x, baseline }: Way, group: Group): boolean => group.every((i) => x[i] === baseline[i]);

export function addTo(sum: Float64Array, values: Float64Array, weight: number): void {
  values.forEach((value, i) => (sum[i] = (sum[i] as number) + weight * value));
}

/** (x − baseline) ⊙ slope */
export const timesDifference = ({ x, baseline }: Way, slope: Float64Array): Float64Array =>
  slope.map((g, i) => g * ((x[i] as number) - (baseline[i] as number)));

/** What each group's elements add up to. */
export const sumsOf = (values: Float64Array, groups: readonly Group[]): Float64Array =>
  Float64Array.from(groups, (group) => group.reduce((sum, i) => sum + (values[i] as number), 0));

function* chunks(count: number, size: number): Generator<readonly number[]> {
  for (let from = 0; from < count; from += size)
    yield Array.from({ length: Math.min(size, count - from) }, (_, i) => from + i);
}
