/** What most methods share: batches one after the other, scores per example put in their places, means taken in float64. */
import { planBatches, type PlannedBatch } from '../../engine/core/batches.js';
import type { AskOptions } from '../../engine/questions/session.js';
import { ScoreTable } from './table.js';
import type { Attribution, EdgesContext } from './types.js';

/** Scores of a batch, [(example · edgeCount + edge) · columns + column], positive = the edge helps; see `ScoreTable`. */
export type ScoreBatch = (batch: PlannedBatch) => Promise<Float32Array | Float64Array>;

export async function scoreBatches(
  context: EdgesContext,
  of: { readonly method: string; readonly copies?: number },
  score: ScoreBatch,
): Promise<Attribution> {
  const { engine, examples } = context;
  const { batches, plan } = planBatches(engine, examples, of.copies);
  const table = new ScoreTable(context);
  let done = 0;
  context.onProgress(0, examples.length);
  for (const batch of batches) {
    context.signal.throwIfAborted();
    table.takeBatch(batch.indices, await score(batch));
    done += batch.indices.length;
    context.onProgress(done, examples.length);
  }
  return { ...table.scores(of.method), plan };
}

/** The interventions that a method estimates: noising, with alternatives from where the user says. */
export const noising = ({ metric, source }: EdgesContext): AskOptions => ({
  metric,
  direction: 'noising',
  source,
});

/** Change of the metric → what is lost; no −0. */
export const negated = <T extends Float32Array | Float64Array>(change: T): T =>
  change.map((x) => (x === 0 ? 0 : -x)) as T;
