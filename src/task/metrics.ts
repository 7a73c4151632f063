/** What each metric asks of a task file. How a metric is computed from logits is the engine's matter. */
import type { MetricKey } from './types.js';

export interface TaskMetric {
  readonly key: MetricKey;
  /** which answer fields a pair must have; what is `none` is passed over, so that a file can be run under another metric */
  readonly correct: 'required' | 'none';
  readonly incorrect: 'required' | 'none';
  readonly target: 'required' | 'none';
  /**
   * How an answer set with several members is weighted where the file gives no weights. `mean`: weights are scaled to
   * sum to 1 (a mean of logits). `sum`: every weight is 1, so that the set's probabilities add up.
   */
  readonly combine: 'mean' | 'sum';
}

export const TASK_METRICS: readonly TaskMetric[] = [
  { key: 'logit-difference', correct: 'required', incorrect: 'required', target: 'none', combine: 'mean' },
  { key: 'probability-difference', correct: 'required', incorrect: 'required', target: 'none', combine: 'sum' },
  { key: 'log-probability', correct: 'required', incorrect: 'none', target: 'none', combine: 'mean' },
  { key: 'kl-divergence', correct: 'none', incorrect: 'none', target: 'none', combine: 'mean' },
  // the model's first output is compared with the target
  { key: 'squared-error', correct: 'none', incorrect: 'none', target: 'required', combine: 'mean' },
];

export const taskMetric = (key: MetricKey): TaskMetric =>
  // the schema admits no other key
  TASK_METRICS.find((metric) => metric.key === key) as TaskMetric;
