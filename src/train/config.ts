import type { ModelConfig } from '../model/types.js';
import type { Blueprint } from './forward.js';

export interface Size {
  readonly name: string;
  readonly nLayers: number;
  readonly nHeads: number;
  readonly dModel: number;
  /** 0: attention-only */
  readonly dMlp: number;
  readonly nCtx: number;
  readonly dVocab: number;
}

type Kind = Pick<ModelConfig, 'architecture' | 'positional' | 'rotary'>;

/** A causal model with LayerNorm and sequential blocks. */
export const causalConfig = (size: Size, kind: Kind): ModelConfig => ({
  ...size,
  ...kind,
  nKeyValueHeads: size.nHeads,
  dHead: size.dModel / size.nHeads,
  activation: 'gelu_new',
  gatedMlp: false,
  norm: 'LN',
  normEps: 1e-5,
  attention: 'causal',
  attnScale: Math.sqrt(size.dModel / size.nHeads),
  parallelBlocks: false,
  dVocabOut: size.dVocab,
});

export const withBiases = (present: boolean): Blueprint['has'] => ({
  qkvBias: present,
  oBias: present,
  inBias: present,
  outBias: present,
  unembedBias: false,
});
