import { planBatches } from '../engine/batches.js';
import type { Engine } from '../engine/engine.js';
import { withSession } from '../engine/run.js';
import type { AlternativeMaker } from '../engine/sources.js';
import type { Example, MetricKey } from '../task/types.js';

/** The exact effect of chosen edges: metric clean − metric with the edge cut, [edge][example]; positive = it helps. */
export async function measureEffects(
  engine: Engine,
  examples: readonly Example[],
  edges: readonly number[],
  options: {
    metric: MetricKey;
    source?: AlternativeMaker | undefined;
    signal?: AbortSignal;
    onProgress?: (done: number, total: number) => void;
  },
): Promise<Float64Array[]> {
  const { metric, source } = options;
  const effects = edges.map(() => new Float64Array(examples.length));
  let done = 0;
  for (const batch of planBatches(engine, examples).batches) {
    options.signal?.throwIfAborted();
    await withSession(engine, batch, { metric, source, direction: 'noising' }, async (session) => {
      const answers = await session.ask(edges.map((edge) => ({ kind: 'edge', edge })));
      answers.forEach((values, e) =>
        batch.indices.forEach((place, i) => {
          (effects[e] as Float64Array)[place] = (session.base[i] as number) - (values[i] as number);
        }),
      );
    });
    done += batch.indices.length;
    options.onProgress?.(done, examples.length);
  }
  return effects;
}
