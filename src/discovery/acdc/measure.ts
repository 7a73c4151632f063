/** The mean metric of circuits over all examples, asked again and again. */
import { planBatches, type PlannedBatch } from '../../engine/batches.js';
import type { Engine } from '../../engine/engine.js';
import { withSession, type AskOptions, type Session } from '../../engine/run.js';
import type { Example } from '../../task/types.js';
import type { Measure } from './search.js';

/**
 * Opens sessions on all examples, so that the prompts are run once and not with every question; where they do not fit the memory
 * together, they are opened anew for every question.
 */
export async function withMeasure<T>(
  engine: Engine,
  examples: readonly Example[],
  { asked, signal }: { readonly asked: AskOptions; readonly signal: AbortSignal },
  work: (measure: Measure) => Promise<T>,
): Promise<T> {
  const { batches, plan } = planBatches(engine, examples);
  const together = plan.perChunk === 0 ? 0 : (plan.bytes * examples.length) / plan.perChunk;
  const count = examples.length;
  const fits = batches.length === 1 || together <= engine.options.memoryBytes / 2;
  const open: Open = fits
    ? (use) => nested(engine, batches, { asked, use })
    : (use) => use((each) => inTurn(engine, batches, { asked, each }));
  return open((forEach) =>
    work(async (circuits) => {
      signal.throwIfAborted();
      const sums = new Float64Array(circuits.length);
      await forEach(async ({ ask }) => {
        const answers = await ask(circuits.map((keep) => ({ kind: 'circuit', keep })));
        answers.forEach((values, c) => (sums[c] = values.reduce((sum, value) => sum + value, sums[c] as number)));
      });
      return Array.from(sums, (sum) => sum / count);
    }),
  );
}

type Each = (session: Session) => Promise<void>;
type ForEach = (each: Each) => Promise<void>;
type Open = <T>(use: (forEach: ForEach) => Promise<T>) => Promise<T>;

async function nested<T>(
  engine: Engine,
  batches: readonly PlannedBatch[],
  { asked, use, open = [] }: { asked: AskOptions; use: (forEach: ForEach) => Promise<T>; open?: readonly Session[] },
): Promise<T> {
  const [batch, ...others] = batches;
  if (batch)
    return withSession(engine, batch, asked, (session) =>
      nested(engine, others, { asked, use, open: [...open, session] }),
    );
  return use(async (each) => {
    for (const session of open) await each(session);
  });
}

async function inTurn(
  engine: Engine,
  batches: readonly PlannedBatch[],
  { asked, each }: { asked: AskOptions; each: Each },
): Promise<void> {
  for (const batch of batches) await withSession(engine, batch, asked, each);
}
