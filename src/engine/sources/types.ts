/** What every ablation source declares: what it says, where it comes from, and what it needs. */
import type { Example } from '../../task/types.js';
import type { Engine } from '../core/engine.js';
import type { CachedRun, PromptSide } from '../model-run/prompts.js';
import type { Batch } from '../core/batches.js';
import type { Alternative } from '../model-run/bound-run.js';

/** Makes the alternative of a batch. */
export type AlternativeMaker = (batch: Batch, runs: { other: CachedRun; firstChange: number }) => Promise<Alternative>;

/** Over which reference prompts the values of an example are taken. */
export interface Grouping {
  /** values are taken at each position apart */
  readonly positional: boolean;
  /** prompts with equal groups go together; null: the example has none */
  groupOf(example: Example): string | null;
  /** the group in words, e.g. `prompts of 15 tokens` */
  describe(example: Example): string;
}

/** What nodes say by constants: site@layer → [heads · dHead] or [d]; also what queries, keys and values then are. */
export type Constants = ReadonlyMap<string, Float64Array>;

export interface Needs {
  /** reference prompts, grouped so; null: none */
  readonly prompts: Grouping | null;
  /** a seed and a scale */
  readonly noise: boolean;
  /** constants that have been learned */
  readonly constants: boolean;
}

/** What sources are made of; each takes what it needs. */
export interface Ingredients {
  readonly batches: readonly Batch[];
  /** which prompt of the reference examples speaks */
  readonly side: PromptSide;
  readonly noise?: NoiseSetting;
  readonly constants?: Constants;
}

export interface NoiseSetting {
  readonly seed: number;
  /** in standard deviations of what is replaced */
  readonly scale: number;
}

/** Where the values of what is cut come from. One file each; a new one is that file and a line in the registry. */
export interface Source {
  /** what a cut edge reads, in one line */
  readonly title: string;
  readonly reference: string;
  readonly needs: Needs;
  make(engine: Engine, given: Ingredients): Promise<AlternativeMaker>;
}

export const NOTHING_NEEDED: Needs = { prompts: null, noise: false, constants: false };
