/** The mean metric of circuits over all examples, asked again and again. */
import type { ForEachSession } from '../sessions.js';
import type { Measure } from './search.js';

export interface Meter {
  readonly measure: Measure;
  /** what has been measured so far took, in forward passes over all examples: tokens through layers, prompts' runs left out */
  spent(): number;
}

export function measureWith(
  forEach: ForEachSession,
  { examples, signal }: { examples: number; signal: AbortSignal },
): Meter {
  let [tokens, pass] = [0, 1];
  return {
    async measure(circuits) {
      signal.throwIfAborted();
      const sums = new Float64Array(circuits.length);
      pass = 0;
      await forEach(async ({ ask, bound: { engine, batch } }) => {
        const before = engine.counters.layerTokens;
        const answers = await ask(circuits.map((keep) => ({ kind: 'circuit', keep })));
        tokens += engine.counters.layerTokens - before;
        pass += batch.examples.length * batch.length;
        answers.forEach((values, c) => (sums[c] = values.reduce((sum, value) => sum + value, sums[c] as number)));
      });
      return Array.from(sums, (sum) => sum / examples);
    },
    spent: () => tokens / pass,
  };
}
