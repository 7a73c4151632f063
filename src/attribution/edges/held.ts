/** What methods that cut edges for good hold while they do. */
import { taskMetric } from '../../task/metrics.js';
import type { MetricKey } from '../../task/types.js';
import { choiceOption } from '../options.js';

/** The model's output (KL divergence from the clean run, nats), or the task's metric. */
export type Held = 'kl' | 'metric';

/** What is held unless the user says. */
export const HELD: Held = 'kl';

export const heldOption = choiceOption<Held>(
  'what is held: the output (KL from the clean run, in nats) or the task’s metric',
  { choices: ['kl', 'metric'], standard: HELD },
);

/**
 * A task with numeric targets reads the model's output as a number, not as a distribution over tokens: with one output the softmax is
 * 1 whatever the model does, so that KL is 0 for every circuit, the empty one included. There the task's metric is held.
 */
export const heldFor = (metric: MetricKey, holds: Held): Held =>
  taskMetric(metric).target === 'required' ? 'metric' : holds;

/** The metric that holds it. */
export const heldMetric = (metric: MetricKey, holds: Held): MetricKey =>
  heldFor(metric, holds) === 'kl' ? 'kl-divergence' : metric;

/** The options of a method, with what it holds on a task. */
export const holdingOn = <O extends { readonly holds: Held }>(options: O, { metric }: { metric: MetricKey }): O => ({
  ...options,
  holds: heldFor(metric, options.holds),
});
