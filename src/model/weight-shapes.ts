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
  const norm = normShapes(config);
  const all: [string, readonly number[]][] = [
    ['embed.W_E', [dVocab, d]],
    ...(config.positional === 'learned' ? [['pos_embed.W_pos', [nCtx, d]] as [string, number[]]] : []),
    ...Array.from({ length: nLayers }, (_, l) =>
      blockShapes(config).map(([name, shape]): [string, readonly number[]] => [`blocks.${l}.${name}`, shape]),
    ).flat(),
    ...norm('ln_final'),
    ['unembed.W_U', [d, dVocabOut]],
    ['unembed.b_U', [dVocabOut]],
  ];
  return new Map(all.map(([name, shape]) => [name, { shape, optional: /\.b_?|ln\d?(_final)?\.w$/.test(name) }]));
};

const normShapes =
  ({ norm, dModel: d }: Sizes) =>
  (site: string): [string, readonly number[]][] => [
    ...(norm ? [[`${site}.w`, [d]] as [string, number[]]] : []),
    ...(norm === 'LN' ? [[`${site}.b`, [d]] as [string, number[]]] : []),
  ];

const blockShapes = (config: Sizes): [string, readonly number[]][] => {
  const { nHeads: heads, nKeyValueHeads: kv, dModel: d, dHead: e, dMlp: mlp } = config;
  const norm = normShapes(config);
  const attention: [string, readonly number[]][] = [
    ...norm('ln1'),
    ['attn.W_Q', [heads, d, e]],
    ['attn.W_K', [kv, d, e]],
    ['attn.W_V', [kv, d, e]],
    ['attn.W_O', [heads, e, d]],
    ['attn.b_Q', [heads, e]],
    ['attn.b_K', [kv, e]],
    ['attn.b_V', [kv, e]],
    ['attn.b_O', [d]],
  ];
  if (mlp === 0) return attention;
  return [
    ...attention,
    ...norm('ln2'),
    ['mlp.W_in', [d, mlp]],
    ...(config.gatedMlp ? [['mlp.W_gate', [d, mlp]] as [string, number[]]] : []),
    ['mlp.b_in', [mlp]],
    ['mlp.W_out', [mlp, d]],
    ['mlp.b_out', [d]],
  ];
};
