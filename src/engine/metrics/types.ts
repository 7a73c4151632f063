import type { Value } from '../../program/index.js';
import type { Answer, MetricKey } from '../../task/types.js';

/** What a metric's program may read, each given only if the metric asks for it. */
export interface MetricInputs {
  /** the answers' weights over the vocabulary [examples, answers, vocabulary] */
  readonly weights: () => Value;
  /** log-probabilities of the unpatched clean run [examples, answers, vocabulary] */
  readonly clean: () => Value;
  /** numeric targets [examples, answers] */
  readonly target: () => Value;
}

/** A task metric: one number per example, higher = the task is done better; a mean over the example's answers. */
export interface Metric {
  readonly key: MetricKey;
  readonly title: string;
  readonly unit: string;
  /** linear in the logits: the engine then unembeds only the answers' direction, never the vocabulary */
  readonly linear: boolean;
  /** which of the inputs its program reads */
  readonly reads: keyof MetricInputs;
  /** what an answer says about the vocabulary: token id → weight */
  weights(answer: Answer): ReadonlyMap<number, number>;
  /** logits [questions, examples, answers, vocabulary] → [questions, examples, answers] */
  build(logits: Value, inputs: MetricInputs): Value;
}
