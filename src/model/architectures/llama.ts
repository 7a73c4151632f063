import { isObject } from '../json-file.js';
import type { Fields } from '../fields.js';
import type { StoredTensor } from '../tensor-store.js';
import type { ActivationKind } from '../types.js';
import { checkGroups, checkRotaryDims, evenSplit, HARMLESS, inBlocks, placer, whereStored } from './shared.js';
import type { Architecture, Dialect, Reading } from './types.js';
import { ACTIVATIONS } from './types.js';

/** Touvron et al. 2023, "LLaMA: Open and Efficient Foundation Language Models". */
interface Size {
  readonly nLayers: number;
  readonly nHeads: number;
  readonly nKeyValueHeads: number;
  readonly dModel: number;
  readonly dHead: number;
  readonly dMlp: number;
  readonly nCtx: number;
  readonly dVocab: number;
}

interface Arithmetic {
  readonly activation: ActivationKind;
  readonly normEps: number;
  readonly base: number;
}

const config = (fields: Fields, size: Size, { activation, normEps, base }: Arithmetic): Reading['config'] => {
  checkGroups(fields, size.nHeads, size.nKeyValueHeads);
  checkRotaryDims(fields, size.dHead, size.dHead);
  return {
    ...size,
    activation,
    gatedMlp: true,
    norm: 'RMS',
    normEps,
    positional: 'rotary',
    // Both kinds of file end up as split halves: Hugging Face's are, GGUF's adjacent pairs are put back (below).
    rotary: { base, dims: size.dHead, adjacentPairs: false },
    attention: 'causal',
    attnScale: Math.sqrt(size.dHead),
    parallelBlocks: false,
    dVocabOut: size.dVocab,
  };
};

const sizesOf = ({ nHeads, nKeyValueHeads, dModel, dHead, dMlp, dVocab }: Size): Record<string, number> => ({
  ...{ head: nHeads, kv: nKeyValueHeads, e: dHead, half: dHead / 2, pair: 2, d: dModel, mlp: dMlp, v: dVocab },
});

const huggingFace: Dialect = {
  names: ['llama'],
  // a table of rotary frequencies that old checkpoints carry; the head, where it is stored although it is tied
  ignored: /\.rotary_emb\.inv_freq$|^lm_head\.weight$/,
  read(fields, tensors) {
    const nHeads = fields.integer('num_attention_heads');
    const dModel = fields.integer('hidden_size');
    const size: Size = {
      nLayers: fields.integer('num_hidden_layers'),
      nHeads,
      nKeyValueHeads: fields.integer('num_key_value_heads', { fallback: nHeads }),
      dModel,
      dHead: fields.has('head_dim') ? fields.integer('head_dim') : evenSplit(fields, dModel, nHeads),
      dMlp: fields.integer('intermediate_size'),
      nCtx: fields.integer('max_position_embeddings', { fallback: 2048 }),
      dVocab: fields.integer('vocab_size'),
    };
    fields.only('mlp_bias', false);
    fields.only('rope_scaling', { rope_type: 'default' }, { type: 'default' });
    const arithmetic = {
      activation: fields.choice('hidden_act', ACTIVATIONS, 'silu'),
      normEps: fields.real('rms_norm_eps', 1e-6),
      base: ropeBase(fields),
    };
    const options = { tied: fields.flag('tie_word_embeddings', false), biased: fields.flag('attention_bias', false) };
    const read = { config: config(fields, size, arithmetic), weights: huggingFaceWeights(size, tensors, options) };
    fields.finish(HARMLESS);
    return read;
  },
};

/** `rope_theta`, or in newer files `rope_parameters: {rope_theta, rope_type: 'default'}`. */
const ropeBase = (fields: Fields): number => {
  const plain = fields.real('rope_theta', 10000);
  const parameters = fields.raw('rope_parameters');
  const theta = isObject(parameters) ? parameters['rope_theta'] : undefined;
  const base = typeof theta === 'number' && theta > 0 ? theta : plain;
  fields.only(
    'rope_parameters',
    { rope_theta: base, rope_type: 'default' },
    { rope_type: 'default', rope_theta: base },
  );
  return base;
};

/** Linear layers store their matrices [out, in]. The base model's files leave out the prefix `model.`. */
const huggingFaceWeights = (
  size: Size,
  tensors: ReadonlyMap<string, StoredTensor>,
  { tied, biased }: { readonly tied: boolean; readonly biased: boolean },
): Reading['weights'] => {
  const { at } = placer(sizesOf(size));
  const prefix = tensors.has('embed_tokens.weight') ? '' : 'model.';
  return {
    'embed.W_E': at(`${prefix}embed_tokens.weight`, 'v d -> v d'),
    'ln_final.w': at(`${prefix}norm.weight`, 'd -> d'),
    'unembed.W_U': at(tied ? `${prefix}embed_tokens.weight` : 'lm_head.weight', 'v d -> d v'),
    ...inBlocks(size.nLayers, (layer) => {
      const self = `${prefix}layers.${layer}.self_attn`;
      const mlp = `${prefix}layers.${layer}.mlp`;
      const biases = {
        'attn.b_Q': at(`${self}.q_proj.bias`, '(head e) -> head e'),
        'attn.b_K': at(`${self}.k_proj.bias`, '(kv e) -> kv e'),
        'attn.b_V': at(`${self}.v_proj.bias`, '(kv e) -> kv e'),
        'attn.b_O': at(`${self}.o_proj.bias`, 'd -> d'),
      };
      return {
        'ln1.w': at(`${prefix}layers.${layer}.input_layernorm.weight`, 'd -> d'),
        'ln2.w': at(`${prefix}layers.${layer}.post_attention_layernorm.weight`, 'd -> d'),
        'attn.W_Q': at(`${self}.q_proj.weight`, '(head e) d -> head d e'),
        'attn.W_K': at(`${self}.k_proj.weight`, '(kv e) d -> kv d e'),
        'attn.W_V': at(`${self}.v_proj.weight`, '(kv e) d -> kv d e'),
        'attn.W_O': at(`${self}.o_proj.weight`, 'd (head e) -> head e d'),
        ...(biased ? biases : {}),
        'mlp.W_gate': at(`${mlp}.gate_proj.weight`, 'mlp d -> d mlp'),
        'mlp.W_in': at(`${mlp}.up_proj.weight`, 'mlp d -> d mlp'),
        'mlp.W_out': at(`${mlp}.down_proj.weight`, 'd mlp -> mlp d'),
      };
    }),
  };
};

const gguf: Dialect = {
  names: ['llama'],
  ignored: /^$/,
  read(fields, tensors) {
    const nHeads = fields.integer('attention.head_count');
    const dModel = fields.integer('embedding_length');
    const dHead = fields.has('attention.key_length')
      ? fields.integer('attention.key_length')
      : evenSplit(fields, dModel, nHeads);
    fields.only('attention.value_length', dHead);
    fields.only('rope.dimension_count', dHead);
    fields.only('rope.scaling.type', 'none');
    fields.only('expert_count', 0);
    fields.only('expert_used_count', 0);
    const size: Size = {
      nLayers: fields.integer('block_count'),
      nHeads,
      nKeyValueHeads: fields.integer('attention.head_count_kv', { fallback: nHeads }),
      dModel,
      dHead,
      dMlp: fields.integer('feed_forward_length'),
      nCtx: fields.integer('context_length'),
      dVocab: fields.integer('vocab_size', { fallback: tensors.get('token_embd.weight')?.shape[0] ?? 1 }),
    };
    const arithmetic = {
      activation: 'silu',
      normEps: fields.real('attention.layer_norm_rms_epsilon', 1e-5),
      base: fields.real('rope.freq_base', 10000),
    } as const;
    const read = { config: config(fields, size, arithmetic), weights: ggufWeights(size, tensors) };
    fields.finish(/^tensor_data_layout$/);
    return read;
  },
};

/**
 * GGUF's llama rotates adjacent pairs, so its converter reorders the rows of Q and K head by head from [pair, half] to
 * [half, pair]; the layouts undo that.
 */
const ggufWeights = (size: Size, tensors: ReadonlyMap<string, StoredTensor>): Reading['weights'] => {
  const { at } = placer(sizesOf(size));
  return {
    'embed.W_E': at('token_embd.weight', 'v d -> v d'),
    'ln_final.w': at('output_norm.weight', 'd -> d'),
    'unembed.W_U': at(tensors.has('output.weight') ? 'output.weight' : 'token_embd.weight', 'v d -> d v'),
    ...inBlocks(size.nLayers, (layer) => {
      const blk = `blk.${layer}`;
      return {
        'ln1.w': at(`${blk}.attn_norm.weight`, 'd -> d'),
        'ln2.w': at(`${blk}.ffn_norm.weight`, 'd -> d'),
        'attn.W_Q': at(`${blk}.attn_q.weight`, '(head half pair) d -> head d (pair half)'),
        'attn.W_K': at(`${blk}.attn_k.weight`, '(kv half pair) d -> kv d (pair half)'),
        'attn.W_V': at(`${blk}.attn_v.weight`, '(kv e) d -> kv d e'),
        'attn.W_O': at(`${blk}.attn_output.weight`, 'd (head e) -> head e d'),
        ...whereStored(tensors, {
          'attn.b_Q': at(`${blk}.attn_q.bias`, '(head half pair) -> head (pair half)'),
          'attn.b_K': at(`${blk}.attn_k.bias`, '(kv half pair) -> kv (pair half)'),
          'attn.b_V': at(`${blk}.attn_v.bias`, '(kv e) -> kv e'),
          'attn.b_O': at(`${blk}.attn_output.bias`, 'd -> d'),
        }),
        'mlp.W_gate': at(`${blk}.ffn_gate.weight`, 'mlp d -> d mlp'),
        'mlp.W_in': at(`${blk}.ffn_up.weight`, 'mlp d -> d mlp'),
        'mlp.W_out': at(`${blk}.ffn_down.weight`, 'd mlp -> mlp d'),
      };
    }),
  };
};

export const llama: Architecture = { key: 'llama', title: 'Llama', dialects: { huggingFace, gguf } };
