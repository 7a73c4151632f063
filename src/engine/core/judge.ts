/** What answers are judged by: from the stream after the last layer to the task's metric. */
import type { Tensor } from '../../runtime/types.js';
import type { Metric } from '../metrics/index.js';
import type { Span } from './span.js';

export interface GradientOf {
  /** one per question */
  readonly weights: readonly number[];
  /** the final norm divides by a constant, as some methods of attribution have it; default false */
  readonly frozenNorm?: boolean | undefined;
}

/** A metric made ready for one batch; owns small tensors. */
export interface Judge {
  readonly metric: Metric;
  /** the metric of each question and example, from the final stream [questions, examples, pos, d]: [questions · examples] */
  value(final: Tensor, span: Span): Promise<Float64Array>;
  /** the same, and the gradient of Σ weight · metric at the final stream; the caller owns it */
  gradient(final: Tensor, span: Span, of: GradientOf): Promise<{ value: Float64Array; gradient: Tensor }>;
  /** the first position that is judged */
  readonly firstAnswer: number;
  dispose(): void;
}
