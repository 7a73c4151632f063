import { isObject } from '../json-file.js';
import type { Fields } from '../fields.js';
import type { StoredTensor } from '../tensor-store.js';
import { checkRotaryDims, evenSplit, HARMLESS, inBlocks, placer } from './shared.js';
import type { Architecture, Dialect, Reading } from './types.js';
import { ACTIVATIONS } from './types.js';

/** Black et al. 2022, "GPT-NeoX-20B"; also Pythia. */
interface Size {
  readonly nLayers: number;
  readonly nHeads: number;
  readonly dModel: number;
  readonly dHead: number;
  readonly dMlp: number;
  readonly nCtx: number;
  readonly dVocab: number;
}

const readSize = (fields: Fields): Size => {
  const dModel = fields.integer('hidden_size');
  const nHeads = fields.integer('num_attention_heads');
  return {
    nLayers: fields.integer('num_hidden_layers'),
    nHeads,
    dModel,
    dHead: evenSplit(fields, dModel, nHeads),
    dMlp: fields.integer('intermediate_size'),
    nCtx: fields.integer('max_position_embeddings', { fallback: 2048 }),
    dVocab: fields.integer('vocab_size'),
  };
};

/** Older files say `rotary_emb_base` and `rotary_pct`, newer ones `rope_parameters`; where both are said they must agree. */
const readRotary = (fields: Fields, { dHead }: Size) => {
  fields.only('rope_scaling', { rope_type: 'default' }, { type: 'default' });
  const raw = fields.raw('rope_parameters');
  const { rope_theta, partial_rotary_factor, rope_type, ...others } = isObject(raw) ? raw : {};
  const base = fields.real('rotary_emb_base', fields.real('rope_theta', Number(rope_theta ?? 10000)));
  const share = fields.real('rotary_pct', fields.real('partial_rotary_factor', Number(partial_rotary_factor ?? 0.25)));
  fields.only('rope_theta', base);
  fields.only('partial_rotary_factor', share);
  const agrees = (said: unknown, used: unknown): boolean => said === undefined || said === used;
  const plain = agrees(rope_type, 'default') && Object.keys(others).length === 0;
  if (!plain || !agrees(rope_theta, base) || !agrees(partial_rotary_factor, share)) fields.only('rope_parameters');
  const dims = Math.trunc(dHead * share);
  checkRotaryDims(fields, dims, dHead);
  return { base, dims, adjacentPairs: false };
};

const huggingFace: Dialect = {
  names: ['gpt_neox'],
  // causal masks and rotary frequencies that old checkpoints carry; the head, where it is stored although it is tied
  ignored: /\.attention\.(bias|masked_bias|rotary_emb\.inv_freq)$|^embed_out\.weight$/,
  read(fields, tensors) {
    const size = readSize(fields);
    const { dHead } = size;
    const config: Reading['config'] = {
      ...size,
      nKeyValueHeads: size.nHeads,
      activation: fields.choice('hidden_act', ACTIVATIONS, 'gelu'),
      gatedMlp: false,
      norm: 'LN',
      normEps: fields.real('layer_norm_eps', 1e-5),
      positional: 'rotary',
      rotary: readRotary(fields, size),
      attention: 'causal',
      attnScale: Math.sqrt(dHead),
      parallelBlocks: fields.flag('use_parallel_residual', true),
      dVocabOut: size.dVocab,
    };
    const options = { tied: fields.flag('tie_word_embeddings', false), biased: fields.flag('attention_bias', true) };
    fields.finish(HARMLESS);
    return { config, weights: weightsOf(size, tensors, options) };
  },
};

/** Queries, keys and values lie head by head in one matrix, [out, in]. The base model's files leave out the prefix `gpt_neox.`. */
const weightsOf = (
  size: Size,
  tensors: ReadonlyMap<string, StoredTensor>,
  { tied, biased }: { readonly tied: boolean; readonly biased: boolean },
): Reading['weights'] => {
  const { nHeads, dHead, dModel, dMlp, dVocab } = size;
  const { at } = placer({ head: nHeads, e: dHead, d: dModel, mlp: dMlp, v: dVocab, qkv: 3 });
  const prefix = tensors.has('embed_in.weight') ? '' : 'gpt_neox.';
  return {
    'embed.W_E': at(`${prefix}embed_in.weight`, 'v d -> v d'),
    'ln_final.w': at(`${prefix}final_layer_norm.weight`, 'd -> d'),
    'ln_final.b': at(`${prefix}final_layer_norm.bias`, 'd -> d'),
    'unembed.W_U': at(tied ? `${prefix}embed_in.weight` : 'embed_out.weight', 'v d -> d v'),
    ...inBlocks(size.nLayers, (layer) => {
      const block = `${prefix}layers.${layer}`;
      const fused = `${block}.attention.query_key_value`;
      const biases = {
        'attn.b_Q': at(`${fused}.bias`, '(head qkv e) -> head e', { qkv: 0 }),
        'attn.b_K': at(`${fused}.bias`, '(head qkv e) -> head e', { qkv: 1 }),
        'attn.b_V': at(`${fused}.bias`, '(head qkv e) -> head e', { qkv: 2 }),
        'attn.b_O': at(`${block}.attention.dense.bias`, 'd -> d'),
      };
      return {
        'ln1.w': at(`${block}.input_layernorm.weight`, 'd -> d'),
        'ln1.b': at(`${block}.input_layernorm.bias`, 'd -> d'),
        'ln2.w': at(`${block}.post_attention_layernorm.weight`, 'd -> d'),
        'ln2.b': at(`${block}.post_attention_layernorm.bias`, 'd -> d'),
        'attn.W_Q': at(`${fused}.weight`, '(head qkv e) d -> head d e', { qkv: 0 }),
        'attn.W_K': at(`${fused}.weight`, '(head qkv e) d -> head d e', { qkv: 1 }),
        'attn.W_V': at(`${fused}.weight`, '(head qkv e) d -> head d e', { qkv: 2 }),
        'attn.W_O': at(`${block}.attention.dense.weight`, 'd (head e) -> head e d'),
        ...(biased ? biases : {}),
        'mlp.W_in': at(`${block}.mlp.dense_h_to_4h.weight`, 'mlp d -> d mlp'),
        'mlp.b_in': at(`${block}.mlp.dense_h_to_4h.bias`, 'mlp -> mlp'),
        'mlp.W_out': at(`${block}.mlp.dense_4h_to_h.weight`, 'd mlp -> mlp d'),
        'mlp.b_out': at(`${block}.mlp.dense_4h_to_h.bias`, 'd -> d'),
      };
    }),
  };
};

export const gptNeox: Architecture = { key: 'gpt_neox', title: 'GPT-NeoX, Pythia', dialects: { huggingFace } };
