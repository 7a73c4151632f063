/** Grouping examples so that no prompt is ever padded. */
import type { Example } from './types.js';

export interface LengthGroup {
  /** tokens per prompt */
  readonly length: number;
  /** positions in the list of examples, ascending */
  readonly indices: readonly number[];
}

/** Examples of equal token length together, shortest first. Every example is in exactly one group. */
export const batches = (examples: readonly Pick<Example, 'clean'>[]): LengthGroup[] => {
  const groups = new Map<number, number[]>();
  examples.forEach(({ clean }, index) => groups.set(clean.length, [...(groups.get(clean.length) ?? []), index]));
  return [...groups].map(([length, indices]) => ({ length, indices })).sort((a, b) => a.length - b.length);
};
