import type { Cost, Level, Method } from '../method.js';
import type { Declared } from '../options.js';
import type { Group, ScalarFunction, Way } from './function.js';

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

interface TokensLevel extends Level {
  /** one prompt */
  readonly context: Explained;
  /** tokens or spans of the prompt */
  readonly extent: number;
  readonly cost: Cost;
  /** a value per group */
  readonly answer: Float64Array;
}

/** A way to attribute the metric to tokens or spans of a prompt. */
export interface TokenMethod<D extends Declared = Declared> extends Method<TokensLevel, D> {
  /** what gets a value: every token, or every named span */
  readonly of: 'token' | 'span';
  /** its values sum to metric(clean) − metric(baseline), exactly or as its points become many; then spans must not overlap */
  readonly sums: boolean;
}

export const tokenMethod = <D extends Declared>(method: TokenMethod<D>): TokenMethod<D> => method;
