/** How work is cut so that it fits the memory budget: as much at once as runs fastest, or else less. */
import { refuse } from '../../errors.js';
import type { Engine, EngineOptions } from './engine.js';
import type { Rehearsal } from './rehearse.js';

export interface Fitted extends Rehearsal {
  /** with these the estimate holds: `engine.within(limits)` */
  readonly limits: Pick<EngineOptions, 'chunkTokens'>;
}

interface Fitting {
  /** what needs the memory, in a word */
  readonly what: string;
  /** tokens of the longest prompt: less at once there is not */
  readonly longest: number;
  /** what to do where one prompt at a time is too much; left out: it is tried */
  readonly instead?: string;
}

/** A little less than fits in proportion: not all of it shrinks with the chunks. */
const MARGIN = 0.85;

/**
 * Finds how many tokens may be run at once. Nothing is changed: the caller works within the limits that are returned.
 * @param estimate what the work needs with so many tokens at once
 * @throws TheveninError discovery/memory: one prompt at a time is too much
 */
export async function fit(
  { options: { memoryBytes, ...options } }: Engine,
  { what, longest, instead }: Fitting,
  estimate: (limits: Fitted['limits']) => Promise<Rehearsal>,
): Promise<Fitted> {
  let { chunkTokens } = options;
  for (;;) {
    const limits = { chunkTokens };
    const found = await estimate(limits);
    const least = chunkTokens <= longest;
    if (found.bytes <= memoryBytes || (least && instead === undefined)) return { ...found, limits };
    if (least)
      refuse(
        'discovery/memory',
        `${what} needs about ${mebibytes(found.bytes)} even with one pair of ${longest} tokens at a time, of ${mebibytes(memoryBytes)}; give more memory (--memory), ${instead}`,
      );
    chunkTokens = Math.max(longest, Math.floor((chunkTokens * MARGIN * memoryBytes) / found.bytes));
  }
}

export const mebibytes = (bytes: number): string => `${(bytes / 2 ** 20).toPrecision(3)} MiB`;
