import type { Fields } from '../fields.js';
import type { StoredTensor } from '../tensor-store.js';
import type { ActivationKind, ModelConfig } from '../types.js';
import type { StoredWeight } from '../weights.js';

/**
 * A family of models: how each kind of file describes one. Adding a family is one file with one of these, and one line in
 * the registry.
 */
export interface Architecture {
  readonly key: string;
  readonly title: string;
  /** the way it is written in each kind of file that can hold it */
  readonly dialects: Partial<Readonly<Record<DialectKind, Dialect>>>;
}

/** A kind of file in which models are described; the formats room reads the files themselves. */
export type DialectKind = 'plain' | 'huggingFace' | 'gguf';

export interface Dialect {
  /** what the files call it: `model_type`, `general.architecture` */
  readonly names: readonly string[];
  /** The model that these settings and stored tensors are. @throws model/config */
  read(fields: Fields, tensors: ReadonlyMap<string, StoredTensor>): Reading;
  /** stored tensors that hold no weights (masks, tables) or repeat one */
  readonly ignored: RegExp;
}

export interface Reading {
  readonly config: Omit<ModelConfig, 'name' | 'architecture'>;
  /** TransformerLens name -> where it is stored */
  readonly weights: Readonly<Record<string, StoredWeight>>;
}

/** What checkpoints call the activations that the engine has. */
export const ACTIVATIONS: Readonly<Record<string, ActivationKind>> = {
  relu: 'relu',
  gelu: 'gelu',
  // one formula, tanh instead of erf
  gelu_new: 'gelu_new',
  gelu_fast: 'gelu_new',
  gelu_pytorch_tanh: 'gelu_new',
  silu: 'silu',
  swish: 'silu',
};
