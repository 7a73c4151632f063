import { fixed } from '../fixed.js';
import { planBatches } from '../engine/core/batches.js';
import type { Engine } from '../engine/core/engine.js';
import { answerRanks } from '../engine/judging/ranks.js';
import { withSession } from '../engine/questions/session.js';
import { taskMetric } from '../task/metrics.js';
import type { Example, MetricKey } from '../task/types.js';
import { estimateMean, estimateShare, medianOf, type Estimate } from './statistics/intervals.js';

/** Whether the model does the task at all: without that a circuit explains nothing. */
export interface Capability {
  readonly clean: Estimate;
  readonly corrupt: Estimate;
  /** clean − corrupt, pair by pair */
  readonly gap: Estimate;
  /**
   * Share of pairs that the model gets right: it prefers the correct to the incorrect answers, or, where a task names no incorrect
   * ones, the answer is the most likely token. Null where there is neither.
   */
  readonly accuracy: Estimate | null;
  /** of the correct answer among all tokens, over pairs; null where a task names none */
  readonly rank: { readonly median: number; readonly worst: number } | null;
  readonly doesTask: boolean;
  /** why it does not, in words; empty where it does */
  readonly faults: readonly string[];
  /** of each example, in the order given; ranks are NaN where there is none */
  readonly perExample: {
    readonly clean: Float64Array;
    readonly corrupt: Float64Array;
    readonly rank: Float64Array;
  };
}

/** Cost: two forward passes, and an unembedding at the answers. */
export async function measureCapability(
  engine: Engine,
  examples: readonly Example[],
  options: { metric: MetricKey; onProgress?: (done: number, total: number) => void },
): Promise<Capability> {
  const empty = (): Float64Array => new Float64Array(examples.length);
  const perExample = { clean: empty(), corrupt: empty(), rank: empty() };
  let done = 0;
  for (const batch of planBatches(engine, examples).batches) {
    await withSession(engine, batch, { metric: options.metric, direction: 'noising' }, async (session) => {
      const ranks = await answerRanks(engine, batch, session.prompts.clean);
      batch.indices.forEach((place, i) => {
        perExample.clean[place] = session.clean[i] as number;
        perExample.corrupt[place] = session.corrupt[i] as number;
        perExample.rank[place] = ranks[i] as number;
      });
    });
    done += batch.indices.length;
    options.onProgress?.(done, examples.length);
  }
  return judgeCapability(perExample, { metric: options.metric, vocabulary: engine.model.config.dVocabOut });
}

/** What the values of each example say. */
export function judgeCapability(
  perExample: Capability['perExample'],
  task: { readonly metric: MetricKey; readonly vocabulary: number },
): Capability {
  const { clean, corrupt, rank } = perExample;
  const measured = {
    clean: estimateMean(clean),
    corrupt: estimateMean(corrupt),
    gap: estimateMean(clean.map((value, i) => value - (corrupt[i] as number))),
    accuracy: accuracyOf(perExample, task.metric),
    rank: rank.some(Number.isNaN) ? null : { median: medianOf(rank), worst: Math.max(...rank) },
  };
  const faults = FAULTS.flatMap((find) => find(measured, task) ?? []);
  return { ...measured, doesTask: faults.length === 0, faults, perExample };
}

function accuracyOf({ clean, rank }: Capability['perExample'], metric: MetricKey): Estimate | null {
  const { correct, incorrect } = taskMetric(metric);
  if (correct === 'none') return null;
  const right = incorrect === 'required' ? clean.map((value) => Number(value > 0)) : rank.map((r) => Number(r === 1));
  return estimateShare(right);
}

type Measured = Pick<Capability, 'clean' | 'gap' | 'accuracy'>;
type Fault = (measured: Measured, task: { metric: MetricKey; vocabulary: number }) => string | null;

/** Each says what is wrong, or nothing. */
const FAULTS: readonly Fault[] = [
  ({ gap }, { metric }) => (isAbove(gap, 0) ? null : `${metric} clean − corrupt = ${tell(gap)}, not reliably above 0`),
  ({ clean }, { metric }) =>
    taskMetric(metric).incorrect === 'none' || isAbove(clean, 0)
      ? null
      : `it does not prefer the correct answer: ${metric} on the clean prompts = ${tell(clean)}, not reliably above 0`,
  ({ accuracy }, { metric }) =>
    taskMetric(metric).incorrect === 'none' || accuracy === null || (accuracy.high ?? accuracy.mean) >= 0.5
      ? null
      : `it is right in ${tell(accuracy)} of the pairs, below chance (½)`,
  ({ clean }, { metric, vocabulary }) => {
    const { correct, incorrect } = taskMetric(metric);
    const uniform = -Math.log(vocabulary);
    return correct === 'none' || incorrect === 'required' || isAbove(clean, uniform)
      ? null
      : `it knows the answer no better than a uniform guess (${fixed(uniform, 3)}): ${metric} on the clean prompts = ${tell(clean)}`;
  },
];

/** The 95 % interval lies above; of one pair, the value. */
const isAbove = ({ mean, low }: Estimate, least: number): boolean => (low ?? mean) > least;

const tell = ({ mean, low, high, count }: Estimate): string =>
  `${fixed(mean, 3)}${low === null || high === null ? '' : `, 95 % interval [${fixed(low, 3)}, ${fixed(high, 3)}]`} over ${count} pairs`;
