import { planBatches } from '../engine/core/batches.js';
import type { Engine } from '../engine/core/engine.js';
import type { AlternativeMaker } from '../engine/sources/index.js';
import { withSession } from '../engine/questions/session.js';
import type { Example, MetricKey } from '../task/types.js';
import { meanOf } from './statistics/intervals.js';

/** The metric of several circuits on the same examples: values kept per example. */
export interface CircuitMetrics {
  readonly clean: Float64Array;
  /** with every edge cut: of the corrupt prompts, unless cut edges read something else */
  readonly corrupt: Float64Array;
  /** [circuit][example] */
  readonly circuits: readonly Float64Array[];
}

export interface MeasureOptions {
  readonly metric: MetricKey;
  /** what edges outside a circuit read; default the corrupt prompt */
  readonly source?: AlternativeMaker | undefined;
  readonly signal?: AbortSignal;
  readonly onProgress?: (done: number, total: number) => void;
}

/** Runs circuits with every other edge cut, on the clean prompts. Cost: two forward passes, and at most one per circuit. */
export async function measureCircuits(
  engine: Engine,
  examples: readonly Example[],
  circuits: readonly Uint8Array[],
  options: MeasureOptions,
): Promise<CircuitMetrics> {
  const { metric, source, onProgress } = options;
  const empty = (): Float64Array => new Float64Array(examples.length);
  const result = { clean: empty(), corrupt: empty(), circuits: circuits.map(empty) };
  let done = 0;
  for (const batch of planBatches(engine, examples).batches) {
    options.signal?.throwIfAborted();
    const asked = { metric, direction: 'noising' as const, source };
    await withSession(engine, batch, asked, async (session) => {
      const nothing = source ? [new Uint8Array(engine.universe.edgeCount)] : [];
      const answers = await session.ask([...circuits, ...nothing].map((keep) => ({ kind: 'circuit', keep })));
      const floor = source ? answers.pop()! : session.corrupt;
      batch.indices.forEach((place, i) => {
        result.clean[place] = session.clean[i] as number;
        result.corrupt[place] = floor[i] as number;
        answers.forEach((values, c) => ((result.circuits[c] as Float64Array)[place] = values[i] as number));
      });
    });
    done += batch.indices.length;
    onProgress?.(done, examples.length);
  }
  return result;
}

/**
 * (circuit − corrupt) / (clean − corrupt) of the means (MIB): 0 = no better than no edges at all, 1 = as the model, above 1 =
 * edges that hurt were cut. Null where clean and corrupt do not differ.
 */
export function faithfulness(metrics: {
  clean: ArrayLike<number>;
  corrupt: ArrayLike<number>;
  circuit: ArrayLike<number>;
}): number | null {
  const corrupt = meanOf(metrics.corrupt);
  const range = meanOf(metrics.clean) - corrupt;
  return range === 0 ? null : (meanOf(metrics.circuit) - corrupt) / range;
}

/** Share of `others` below `value`, ties one half, in percent. Null where there is nothing to compare. */
export function percentileAmong(value: number, others: readonly number[]): number | null {
  if (others.length === 0) return null;
  const below = others.filter((other) => other < value).length;
  const equal = others.filter((other) => other === value).length;
  return (100 * (below + equal / 2)) / others.length;
}
