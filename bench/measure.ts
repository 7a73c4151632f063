/** Times of two works that take turns, so that whatever else the machine does falls on both. */
import type { Work } from './types.js';

export const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] as number;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] as number)) / 2;
};

/** Seconds. */
export async function timed(run: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await run();
  return (performance.now() - start) / 1000;
}

const MAX_ROUNDS = 15;

/** Rounds go on until there are enough and the time is spent. */
export interface Patience {
  readonly rounds: number;
  readonly seconds: number;
}

/**
 * The time of `work` in units of `unit`: both warmed up, then timed in turns, the median of the rounds' ratios.
 * In a round the unit is timed before and after the work, as often as fills a tenth of the work's own time.
 */
export async function ratioTo(
  unit: Work,
  work: Work,
  { rounds, seconds }: Patience,
): Promise<{ ratio: number; unitSeconds: number }> {
  await unit.run();
  const first = await timed(() => work.run());
  const repeats = Math.max(1, Math.min(5, Math.round((0.1 * first) / (await timed(() => unit.run())))));
  const ratios: number[] = [];
  const units: number[] = [];
  const end = performance.now() + 1000 * seconds;
  while (ratios.length < rounds || (ratios.length < MAX_ROUNDS && performance.now() < end)) {
    const before = await repeated(unit, repeats);
    const own = await timed(() => work.run());
    const beside = median([...before, ...(await repeated(unit, repeats))]) / (unit.share ?? 1);
    units.push(beside);
    ratios.push(own / (work.share ?? 1) / beside);
  }
  return { ratio: median(ratios), unitSeconds: median(units) };
}

async function repeated(work: Work, times: number): Promise<number[]> {
  const values: number[] = [];
  for (let i = 0; i < times; i++) values.push(await timed(() => work.run()));
  return values;
}
