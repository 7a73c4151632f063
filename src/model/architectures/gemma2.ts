import type { Fields } from '../fields.js';
import type { StoredTensor } from '../tensor-store.js';
import type { ModelConfig } from '../types.js';
import type { StoredWeight } from '../weights.js';
import { checkGroups, checkRotaryDims, HARMLESS, inBlocks, layerKinds, placer } from './shared.js';
import type { Architecture, Dialect, Reading } from './types.js';
import { ACTIVATIONS } from './types.js';

/**
 * Gemma 2 (Riviere et al. 2024, arXiv:2408.00118): norms before and after attention and MLP, soft caps on scores and logits, every
 * other layer sees a window of positions, embeddings enter multiplied with √d.
 */
const huggingFace: Dialect = {
  names: ['gemma2'],
  ignored: /\.rotary_emb\.inv_freq$|^lm_head\.weight$/,
  read(fields, tensors) {
    const read = { config: readConfig(fields), tied: fields.flag('tie_word_embeddings', true) };
    const weights = weightsOf(read.config, tensors, read.tied);
    fields.only('attention_bias', false);
    fields.only('rope_scaling', { rope_type: 'default' }, { type: 'default' });
    fields.finish(HARMLESS);
    return { config: read.config, weights };
  },
};

const readConfig = (fields: Fields): Reading['config'] => {
  const nHeads = fields.integer('num_attention_heads');
  const nKeyValueHeads = fields.integer('num_key_value_heads', { fallback: nHeads });
  const [dModel, dHead] = [fields.integer('hidden_size'), fields.integer('head_dim', { fallback: 256 })];
  const [nLayers, dVocab] = [fields.integer('num_hidden_layers'), fields.integer('vocab_size')];
  checkGroups(fields, nHeads, nKeyValueHeads);
  checkRotaryDims(fields, dHead, dHead);
  fields.choice('hidden_act', ACTIVATIONS, 'gelu_pytorch_tanh'); // the older name, which the family does not follow
  return {
    nLayers,
    nHeads,
    nKeyValueHeads,
    dModel,
    dHead,
    dMlp: fields.integer('intermediate_size'),
    activation: fields.choice('hidden_activation', ACTIVATIONS, 'gelu_pytorch_tanh'),
    gatedMlp: true,
    norm: 'RMS',
    normEps: fields.real('rms_norm_eps', 1e-6),
    normPlaces: { before: true, after: true },
    normOffset: 1,
    positional: 'rotary',
    rotary: { base: fields.real('rope_theta', 10000), dims: dHead, adjacentPairs: false },
    attention: 'causal',
    attnScale: Math.sqrt(fields.real('query_pre_attn_scalar', 256)),
    parallelBlocks: false,
    nCtx: fields.integer('max_position_embeddings', { fallback: 8192 }),
    dVocab,
    dVocabOut: dVocab,
    windows: windowsOf(fields, nLayers),
    embeddingScale: Math.sqrt(dModel),
    ...(fields.has('attn_logit_softcapping') ? { scoreCap: fields.real('attn_logit_softcapping') } : {}),
    ...(fields.has('final_logit_softcapping') ? { logitCap: fields.real('final_logit_softcapping') } : {}),
  };
};

/** Older files name no kinds: the first layer and every second one after it have the window. */
const windowsOf = (fields: Fields, nLayers: number): NonNullable<ModelConfig['windows']> => {
  const window = fields.integer('sliding_window', { fallback: 4096 });
  if (!fields.has('layer_types'))
    return Array.from({ length: nLayers }, (_, layer) => (layer % 2 === 0 ? window : null));
  return layerKinds(fields, 'layer_types', { kinds: { sliding_attention: window, full_attention: null }, nLayers });
};

/** Linear layers store their matrices [out, in], norms what their weight is more than 1. */
const weightsOf = (
  { nLayers, nHeads, nKeyValueHeads, dModel, dHead, dMlp, dVocab }: Reading['config'],
  tensors: ReadonlyMap<string, StoredTensor>,
  tied: boolean,
): Reading['weights'] => {
  const { at } = placer({ head: nHeads, kv: nKeyValueHeads, e: dHead, d: dModel, mlp: dMlp, v: dVocab });
  const prefix = tensors.has('embed_tokens.weight') ? '' : 'model.';
  const norm = (name: string): StoredWeight => at(`${prefix}${name}.weight`, 'd -> d');
  return {
    'embed.W_E': at(`${prefix}embed_tokens.weight`, 'v d -> v d'),
    'ln_final.w': norm('norm'),
    'unembed.W_U': at(tied ? `${prefix}embed_tokens.weight` : 'lm_head.weight', 'v d -> d v'),
    ...inBlocks(nLayers, (layer) => {
      const [self, mlp] = [`${prefix}layers.${layer}.self_attn`, `${prefix}layers.${layer}.mlp`];
      return {
        'ln1.w': norm(`layers.${layer}.input_layernorm`),
        'ln1_post.w': norm(`layers.${layer}.post_attention_layernorm`),
        'ln2.w': norm(`layers.${layer}.pre_feedforward_layernorm`),
        'ln2_post.w': norm(`layers.${layer}.post_feedforward_layernorm`),
        'attn.W_Q': at(`${self}.q_proj.weight`, '(head e) d -> head d e'),
        'attn.W_K': at(`${self}.k_proj.weight`, '(kv e) d -> kv d e'),
        'attn.W_V': at(`${self}.v_proj.weight`, '(kv e) d -> kv d e'),
        'attn.W_O': at(`${self}.o_proj.weight`, 'd (head e) -> head e d'),
        'mlp.W_gate': at(`${mlp}.gate_proj.weight`, 'mlp d -> d mlp'),
        'mlp.W_in': at(`${mlp}.up_proj.weight`, 'mlp d -> d mlp'),
        'mlp.W_out': at(`${mlp}.down_proj.weight`, 'd mlp -> mlp d'),
      };
    }),
  };
};

export const gemma2: Architecture = { key: 'gemma2', title: 'Gemma 2', dialects: { huggingFace } };
