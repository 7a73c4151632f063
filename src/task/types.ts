/** A task after it has been checked and tokenised for one model: all that later stages see of it. */

/** One or several token ids with weights that sum to 1; under `probability-difference` every weight is 1 unless the file says otherwise, so that the set's probabilities add up. */
export interface AnswerSet {
  readonly ids: readonly number[];
  readonly weights: readonly number[];
}

/** What is asked at one position of the prompt. */
export interface Answer {
  /** 0-based position in the token ids (BOS counted) whose next-token logits are judged */
  readonly position: number;
  readonly correct: AnswerSet;
  /** ids may be empty for metrics that need no distractor */
  readonly incorrect: AnswerSet;
  /** the numeric target of `squared-error`, else absent */
  readonly target?: number;
}

export interface Example {
  /** index of the pair in the task file */
  readonly index: number;
  /** token ids, BOS included where the task has one; clean and corrupt have equal length */
  readonly clean: readonly number[];
  readonly corrupt: readonly number[];
  /** at least one; effects are means over them */
  readonly answers: readonly Answer[];
  /** name → [first, afterLast) positions */
  readonly spans: Readonly<Record<string, readonly [number, number]>>;
  /** template or other grouping, for per-template means */
  readonly group: string | null;
}

export type MetricKey =
  'logit-difference' | 'probability-difference' | 'log-probability' | 'kl-divergence' | 'squared-error';

export interface Splits {
  /** positions in `CheckedTask.examples`, disjoint unless `whole` */
  readonly discover: readonly number[];
  readonly choose: readonly number[];
  readonly report: readonly number[];
  /** `--no-split`: every pair is in every split */
  readonly whole: boolean;
  readonly seed: number;
}

export interface CheckedTask {
  readonly name: string;
  readonly metric: MetricKey;
  readonly examples: readonly Example[];
  readonly splits: Splits;
  /** SHA-256 of the task file as read */
  readonly digest: string;
  /** whether every prompt begins with a BOS id */
  readonly bos: boolean;
  readonly provenance: string;
}
