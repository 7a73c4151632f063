import { planBatches } from '../engine/core/batches.js';
import type { Engine } from '../engine/core/engine.js';
import { withSession } from '../engine/questions/session.js';
import type { Example, MetricKey } from '../task/types.js';
import { estimateMean, type Estimate } from './statistics/intervals.js';

/** Whether the model does the task at all: without that a circuit explains nothing. */
export interface Capability {
  readonly clean: Estimate;
  readonly corrupt: Estimate;
  /** clean − corrupt, pair by pair */
  readonly gap: Estimate;
  /** the gap's 95 % interval lies above 0 */
  readonly doesTask: boolean;
  /** metric of each example, in the order given */
  readonly perExample: { readonly clean: Float64Array; readonly corrupt: Float64Array };
}

/** Cost: two forward passes. */
export async function measureCapability(
  engine: Engine,
  examples: readonly Example[],
  options: { metric: MetricKey; onProgress?: (done: number, total: number) => void },
): Promise<Capability> {
  const perExample = { clean: new Float64Array(examples.length), corrupt: new Float64Array(examples.length) };
  let done = 0;
  for (const batch of planBatches(engine, examples).batches) {
    await withSession(engine, batch, { metric: options.metric, direction: 'noising' }, (session) => {
      batch.indices.forEach((place, i) => {
        perExample.clean[place] = session.clean[i] as number;
        perExample.corrupt[place] = session.corrupt[i] as number;
      });
      return Promise.resolve();
    });
    done += batch.indices.length;
    options.onProgress?.(done, examples.length);
  }
  const gap = estimateMean(perExample.clean.map((value, i) => value - (perExample.corrupt[i] as number)));
  const doesTask = gap.low === null ? gap.mean > 0 : gap.low > 0;
  return {
    clean: estimateMean(perExample.clean),
    corrupt: estimateMean(perExample.corrupt),
    gap,
    doesTask,
    perExample,
  };
}
