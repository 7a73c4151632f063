/** What most methods share: batches one after the other, scores per example put in their places, means taken in float64. */
import { planBatches, type PlannedBatch } from '../engine/batches.js';
import type { AskOptions } from '../engine/run.js';
import type { Attribution, MethodContext } from './types.js';

/** Scores of a batch, [example · edgeCount + edge], positive = the edge helps. */
export type ScoreBatch = (batch: PlannedBatch) => Promise<Float32Array | Float64Array>;

export async function scoreBatches(
  context: MethodContext,
  of: { readonly method: string; readonly copies?: number },
  score: ScoreBatch,
): Promise<Attribution> {
  const { engine, examples } = context;
  const { edgeCount } = engine.universe;
  const { batches, plan } = planBatches(engine, examples, of.copies);
  const perExample = new Float32Array(examples.length * edgeCount);
  const mean = new Float64Array(edgeCount);
  let done = 0;
  context.onProgress(0, examples.length);
  for (const batch of batches) {
    context.signal.throwIfAborted();
    const values = await score(batch);
    batch.indices.forEach((place, i) => {
      const own = values.subarray(i * edgeCount, (i + 1) * edgeCount);
      perExample.set(own, place * edgeCount);
      for (let edge = 0; edge < edgeCount; edge++)
        mean[edge] = (mean[edge] as number) + (own[edge] as number) / examples.length;
    });
    done += batch.indices.length;
    context.onProgress(done, examples.length);
  }
  return { scores: { method: of.method, mean, perExample, exampleCount: examples.length }, plan };
}

/** The interventions that a method estimates: noising, with alternatives from where the user says. */
export const noising = ({ metric, source }: MethodContext): AskOptions => ({
  metric,
  direction: 'noising',
  source,
});

/** Change of the metric → what is lost; no −0. */
export const negated = <T extends Float32Array | Float64Array>(change: T): T =>
  change.map((x) => (x === 0 ? 0 : -x)) as T;
