import type { RiemannRule } from '../../engine/gradients/riemann.js';
import type { MetricKey } from '../../task/types.js';
import type { Group, ScalarFunction, Way } from './function.js';
import type { SamplingSetting } from './shapley.js';

export interface TokenSetting extends SamplingSetting {
  /** points of an integral */
  readonly steps: number;
  readonly rule: RiemannRule;
}

/** What takes the place of what is left out: the corrupt prompt's tokens, or embeddings of zero (positions stay). */
export type Baseline = 'corrupt' | 'zero';

/** What is explained: a metric of token embeddings, and which elements of these belong together. */
export interface Explained {
  readonly f: ScalarFunction;
  readonly way: Way;
  /** as the gradients of f, with the rules of relevance propagation in place of derivatives */
  relevances(points: readonly Float64Array[]): Promise<readonly Float64Array[]>;
  /** one per token or per span */
  readonly groups: readonly Group[];
}

/** A way to say what each token or span of a prompt contributes. One file each; a new one is that file and a line in the registry. */
export interface TokenMethod {
  readonly key: string;
  readonly reference: string;
  /** what gets a value: every token, or every named span */
  readonly of: 'token' | 'span';
  /** its values sum to metric(clean) − metric(baseline), exactly or as its points become many; then spans must not overlap */
  readonly sums: boolean;
  /** which points it integrates over, where the user chooses them */
  readonly integrates: boolean;
  title(setting: TokenSetting): string;
  /** passes over one prompt with so many tokens or spans; backward ones cost about two forward */
  cost(setting: TokenSetting, units: number): { readonly forwards: number; readonly backwards: number };
  /** Refuses what it cannot answer, before anything is computed. @throws TheveninError attribution/gradient, discovery/steps */
  check?(asked: { readonly metric: MetricKey; readonly setting: TokenSetting }): void;
  /** A value per group; positive = it helps the task. */
  run(explained: Explained, setting: TokenSetting): Promise<Float64Array>;
}
