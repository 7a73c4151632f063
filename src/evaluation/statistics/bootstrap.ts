/** Intervals of figures that are no plain means (Efron 1979): the figure of many samples drawn from the sample, with replacement. */
import { seeded } from '../../task/random.js';

export interface Interval {
  readonly low: number;
  readonly high: number;
}

/**
 * The 95 % percentile interval of a statistic of `count` examples; null for fewer than two, or where it is never finite.
 *
 * @param statistic of the examples at these places, which may recur
 */
export function bootstrapInterval(
  count: number,
  statistic: (places: Int32Array) => number,
  { samples = 1000, seed = 0 }: { samples?: number; seed?: number } = {},
): Interval | null {
  if (count < 2) return null;
  const random = seeded(seed);
  const values = Array.from({ length: samples }, () =>
    statistic(Int32Array.from({ length: count }, () => random.between(0, count - 1))),
  )
    .filter(Number.isFinite)
    .sort((a, b) => a - b);
  if (values.length === 0) return null;
  const at = (share: number): number => values[Math.round(share * (values.length - 1))]!;
  return { low: at(0.025), high: at(0.975) };
}
