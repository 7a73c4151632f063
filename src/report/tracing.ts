/** The record of causal tracing: its grids are those of patching, layers by kinds of tokens; `effects` has the intervals. */
import type { PatchingRecord } from './patching.js';

/** An averaged indirect effect and its 95 % confidence interval (null for a single value). */
interface TracedEffect {
  readonly grid: string;
  readonly layer: number;
  readonly tokens: string;
  readonly mean: number;
  readonly low: number | null;
  readonly high: number | null;
  /** values averaged: one per token of the kind, over all facts */
  readonly count: number;
}

export interface TracingRecord extends PatchingRecord {
  readonly kind: 'causal-tracing';
  readonly noise: {
    /** ν = factor × deviation */
    readonly scale: number;
    readonly factor: number;
    readonly deviation: number;
    readonly samples: number;
    readonly seed: number;
    readonly window: number;
  };
  readonly facts: {
    /** in the file; those whose first answer token is the attribute; those whose subject is no sequence of whole tokens */
    readonly asked: number;
    readonly known: number;
    readonly withoutSubject: number;
    readonly traced: number;
  };
  readonly effects: readonly TracedEffect[];
}
