/** The mean metric of circuits over all examples, asked again and again. */
import type { ForEachSession } from '../sessions.js';
import type { Measure } from './search.js';

export const measureWith =
  (forEach: ForEachSession, { examples, signal }: { examples: number; signal: AbortSignal }): Measure =>
  async (circuits) => {
    signal.throwIfAborted();
    const sums = new Float64Array(circuits.length);
    await forEach(async ({ ask }) => {
      const answers = await ask(circuits.map((keep) => ({ kind: 'circuit', keep })));
      answers.forEach((values, c) => (sums[c] = values.reduce((sum, value) => sum + value, sums[c] as number)));
    });
    return Array.from(sums, (sum) => sum / examples);
  };
