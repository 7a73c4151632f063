/** Sessions on all examples at once, for work that asks again and again. */
import { planBatches, type PlannedBatch } from '../../engine/core/batches.js';
import type { ChunkPlan } from '../../engine/core/chunks.js';
import type { Engine } from '../../engine/core/engine.js';
import { withSession, type AskOptions, type Session } from '../../engine/questions/session.js';
import type { Example } from '../../task/types.js';

type Each = (session: Session, batch: PlannedBatch) => Promise<void>;
export type ForEachSession = (each: Each) => Promise<void>;

/**
 * Opens a session for every batch of the examples, so that the prompts are run once and not with every question; where they do
 * not fit the memory together, they are opened anew, one after the other, for every question.
 */
export async function withSessions<T>(
  engine: Engine,
  examples: readonly Example[],
  asked: AskOptions,
  work: (forEach: ForEachSession, plan: ChunkPlan) => Promise<T>,
): Promise<T> {
  const { batches, plan } = planBatches(engine, examples);
  const together = plan.perChunk === 0 ? 0 : (plan.bytes * examples.length) / plan.perChunk;
  if (batches.length === 1 || together <= engine.options.memoryBytes / 2)
    return nested(engine, batches, { asked, work: (forEach) => work(forEach, plan) });
  return work(async (each) => {
    for (const batch of batches) await withSession(engine, batch, asked, (session) => each(session, batch));
  }, plan);
}

interface Opened {
  readonly session: Session;
  readonly batch: PlannedBatch;
}

async function nested<T>(
  engine: Engine,
  batches: readonly PlannedBatch[],
  given: { asked: AskOptions; work: (forEach: ForEachSession) => Promise<T>; open?: readonly Opened[] },
): Promise<T> {
  const { asked, work, open = [] } = given;
  const [batch, ...others] = batches;
  if (batch)
    return withSession(engine, batch, asked, (session) =>
      nested(engine, others, { asked, work, open: [...open, { session, batch }] }),
    );
  return work(async (each) => {
    for (const one of open) await each(one.session, one.batch);
  });
}
