import { planBatches } from '../../../engine/core/batches.js';
import { withSession } from '../../../engine/questions/session.js';
import { noising } from '../collect.js';
import { heldFor, heldMetric } from '../held.js';
import type { EdgesContext } from '../types.js';
import type { MaskSetting } from './setting.js';

/** What circuits of whole edges lose on the pairs: mean KL from the clean run, or |1 − faithfulness|. Cost: two forwards and one each. */
export async function circuitLosses(
  context: EdgesContext,
  circuits: readonly Uint8Array[],
  asHeld: MaskSetting['holds'],
): Promise<number[]> {
  const { engine, examples, signal } = context;
  const holds = heldFor(context.metric, asHeld);
  const asked = { ...noising(context), metric: heldMetric(context.metric, holds) };
  const questions = circuits.map((keep) => ({ kind: 'circuit' as const, keep }));
  const sums = { clean: 0, corrupt: 0, circuits: circuits.map(() => 0) };
  for (const batch of planBatches(engine, examples).batches) {
    signal.throwIfAborted();
    await withSession(engine, batch, asked, async (session) => {
      const answers = await session.ask(questions);
      sums.clean += sumOf(session.clean);
      sums.corrupt += sumOf(session.corrupt);
      answers.forEach((values, c) => (sums.circuits[c]! += sumOf(values)));
    });
  }
  const range = holds === 'kl' ? examples.length : Math.abs(sums.clean - sums.corrupt);
  return sums.circuits.map((sum) => Math.abs(sums.clean - sum) / (range || 1));
}

const sumOf = (values: Float64Array): number => values.reduce((sum, x) => sum + x, 0);
