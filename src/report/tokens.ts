/**
 * The record of attribution to tokens, `tokens.json`. A positive value means that the token or span helps the task: the metric is
 * higher with it than with the baseline in its place.
 */
import type { SidecarRecord } from './record.js';

/** A mean over pairs with its 95 % interval; null where there is none (one pair). */
export interface MeanRecord {
  readonly mean: number;
  readonly low: number | null;
  readonly high: number | null;
  readonly count: number;
}

/** What a span or position contributes, over the pairs. */
export interface TokenRow extends MeanRecord {
  readonly name: string;
}

export interface TokenRecord {
  readonly id: number;
  /** null for models without a tokenizer */
  readonly text: string | null;
  /** the corrupt prompt's token where it differs and is the baseline */
  readonly instead: string | null;
}

export interface UnitRecord {
  readonly name: string;
  readonly positions: readonly number[];
  readonly value: number;
  /** the tokens that no span names, together */
  readonly rest: boolean;
}

export interface PromptRecord {
  /** of the pair in the task file */
  readonly index: number;
  readonly tokens: readonly TokenRecord[];
  /** every token, or every span and the tokens in none */
  readonly units: readonly UnitRecord[];
  /** metric of the clean prompt, and with the baseline in place of every token */
  readonly clean: number;
  readonly baseline: number;
}

/** Each is read by some methods only. */
export interface TokenSettingsRecord {
  readonly steps: number;
  readonly rule: string;
  readonly samples: number;
  readonly seed: number;
}

export interface TokensRecord {
  readonly schemaVersion: 1;
  readonly kind: 'token-attribution';
  readonly versions: { readonly thevenin: string; readonly node: string; readonly runtime: string };
  readonly model: { readonly name: string; readonly weightsSha256: string };
  readonly task: { readonly name: string; readonly sha256: string; readonly metric: string; readonly pairs: number };
  readonly method: { readonly key: string; readonly title: string; readonly reference: string };
  /** what takes the place of a token */
  readonly baseline: 'corrupt' | 'zero';
  readonly settings: TokenSettingsRecord;
  readonly clean: MeanRecord;
  readonly atBaseline: MeanRecord;
  /** largest |Σ values − (clean − baseline)| of any pair; null for methods whose values need not add up */
  readonly gap: number | null;
  /** what the rows are; positions stand in a table only where all prompts are equally long */
  readonly by: 'span' | 'position';
  readonly rows: readonly TokenRow[];
  readonly prompts: readonly PromptRecord[];
  /** the value of every unit of every pair [pair, unit]; NaN where a prompt has no such unit */
  readonly perPair: SidecarRecord;
  readonly timings: { readonly startedAt: string; readonly totalSeconds: number };
}

export const BASELINE_MEANING: { readonly [Key in TokensRecord['baseline']]: string } = {
  corrupt: 'the corrupt prompt’s tokens',
  zero: 'embeddings of zero',
};
