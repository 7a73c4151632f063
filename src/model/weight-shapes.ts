import { normAt, type NormName } from './blocks.js';
import type { ModelConfig } from './types.js';

/** What a model of this config is made of. */
export interface WeightShape {
  readonly shape: readonly number[];
  /** may be absent: biases (then zero), the norms' weights (then one), a tied unembedding */
  readonly optional: boolean;
}

type Sizes = Omit<ModelConfig, 'name' | 'architecture'>;

/** Every weight a model of this config can have, by name, with its shape (see Weights). */
export const weightShapes = (config: Sizes): ReadonlyMap<string, WeightShape> => {
  const { nLayers, dModel: d, nCtx, dVocab, dVocabOut } = config;
  const all: [string, readonly number[]][] = [
    ['embed.W_E', [dVocab, d]],
    ...(config.positional === 'learned' ? [['pos_embed.W_pos', [nCtx, d]] as [string, number[]]] : []),
    ...Array.from({ length: nLayers }, (_, l) =>
      blockShapes(config).map(([name, shape]): [string, readonly number[]] => [`blocks.${l}.${name}`, shape]),
    ).flat(),
    ...normShapes(config, 'lnFinal', 'ln_final'),
    ['unembed.W_U', [d, dVocabOut]],
    ['unembed.b_U', [dVocabOut]],
  ];
  return new Map(all.map(([name, shape]) => [name, { shape, optional: /\.b_?|ln\d?(_final|_post)?\.w$/.test(name) }]));
};

const normShapes = (config: Sizes, name: NormName, site: string): [string, readonly number[]][] => {
  const kind = normAt(name, config);
  return [
    ...(kind ? [[`${site}.w`, [config.dModel]] as [string, number[]]] : []),
    ...(kind === 'LN' ? [[`${site}.b`, [config.dModel]] as [string, number[]]] : []),
  ];
};

const blockShapes = (config: Sizes): [string, readonly number[]][] => {
  const { nHeads: heads, nKeyValueHeads: kv, dModel: d, dHead: e, dMlp: mlp } = config;
  const attention: [string, readonly number[]][] = [
    ...normShapes(config, 'ln1', 'ln1'),
    ['attn.W_Q', [heads, d, e]],
    ['attn.W_K', [kv, d, e]],
    ['attn.W_V', [kv, d, e]],
    ['attn.W_O', [heads, e, d]],
    ['attn.b_Q', [heads, e]],
    ['attn.b_K', [kv, e]],
    ['attn.b_V', [kv, e]],
    ['attn.b_O', [d]],
    ...normShapes(config, 'ln1Post', 'ln1_post'),
  ];
  if (mlp === 0) return attention;
  return [
    ...attention,
    ...normShapes(config, 'ln2', 'ln2'),
    ['mlp.W_in', [d, mlp]],
    ...(config.gatedMlp ? [['mlp.W_gate', [d, mlp]] as [string, number[]]] : []),
    ['mlp.b_in', [mlp]],
    ['mlp.W_out', [mlp, d]],
    ['mlp.b_out', [d]],
    ...normShapes(config, 'ln2Post', 'ln2_post'),
  ];
};
