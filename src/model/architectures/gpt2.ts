import type { Fields } from '../fields.js';
import type { StoredTensor } from '../tensor-store.js';
import type { ActivationKind } from '../types.js';
import { evenSplit, HARMLESS, inBlocks, placer } from './shared.js';
import type { Architecture, Dialect, Reading } from './types.js';
import { ACTIVATIONS } from './types.js';

/** Radford et al. 2019, "Language Models are Unsupervised Multitask Learners". */
interface Size {
  readonly nLayers: number;
  readonly nHeads: number;
  readonly dModel: number;
  readonly dMlp: number;
  readonly nCtx: number;
  readonly dVocab: number;
}

interface Arithmetic {
  readonly activation: ActivationKind;
  readonly normEps: number;
  /** whether scores are divided by sqrt(dHead) */
  readonly scaled: boolean;
}

const config = (fields: Fields, size: Size, { activation, normEps, scaled }: Arithmetic): Reading['config'] => {
  const dHead = evenSplit(fields, size.dModel, size.nHeads);
  return {
    ...size,
    nKeyValueHeads: size.nHeads,
    dHead,
    activation,
    gatedMlp: false,
    norm: 'LN',
    normEps,
    positional: 'learned',
    rotary: null,
    attention: 'causal',
    attnScale: scaled ? Math.sqrt(dHead) : 1,
    parallelBlocks: false,
    dVocabOut: size.dVocab,
  };
};

const sizesOf = ({ nHeads, dModel, dMlp, nCtx, dVocab }: Size): Record<string, number> => ({
  ...{ head: nHeads, e: dModel / nHeads, d: dModel, mlp: dMlp, pos: nCtx, v: dVocab, qkv: 3 },
});

const Q = { qkv: 0 };
const K = { qkv: 1 };
const V = { qkv: 2 };

const huggingFace: Dialect = {
  names: ['gpt2'],
  // causal masks that old checkpoints carry; the head, where it is stored although it is tied
  ignored: /(^|\.)attn\.(bias|masked_bias)$|^lm_head\.weight$/,
  read(fields, tensors) {
    const dModel = fields.integer('n_embd', { fallback: 768 });
    const size: Size = {
      nLayers: fields.integer('n_layer', { fallback: 12 }),
      nHeads: fields.integer('n_head', { fallback: 12 }),
      dModel,
      dMlp: fields.integer('n_inner', { fallback: 4 * dModel }),
      nCtx: fields.integer('n_positions', { fallback: fields.integer('n_ctx', { fallback: 1024 }) }),
      dVocab: fields.integer('vocab_size', { fallback: 50257 }),
    };
    fields.only('scale_attn_by_inverse_layer_idx', false);
    fields.only('add_cross_attention', false);
    const arithmetic = {
      activation: fields.choice('activation_function', ACTIVATIONS, 'gelu_new'),
      normEps: fields.real('layer_norm_epsilon', 1e-5),
      scaled: fields.flag('scale_attn_weights', true),
    };
    const tied = fields.flag('tie_word_embeddings', true);
    const read = { config: config(fields, size, arithmetic), weights: huggingFaceWeights(size, tensors, tied) };
    fields.finish(HARMLESS);
    return read;
  },
};

/** Conv1D stores its matrices [in, out]. The base model's files leave out the prefix `transformer.`. */
const huggingFaceWeights = (
  size: Size,
  tensors: ReadonlyMap<string, StoredTensor>,
  tied: boolean,
): Reading['weights'] => {
  const { at } = placer(sizesOf(size));
  const prefix = tensors.has('wte.weight') ? '' : 'transformer.';
  return {
    'embed.W_E': at(`${prefix}wte.weight`, 'v d -> v d'),
    'pos_embed.W_pos': at(`${prefix}wpe.weight`, 'pos d -> pos d'),
    'ln_final.w': at(`${prefix}ln_f.weight`, 'd -> d'),
    'ln_final.b': at(`${prefix}ln_f.bias`, 'd -> d'),
    'unembed.W_U': at(tied ? `${prefix}wte.weight` : 'lm_head.weight', 'v d -> d v'),
    ...inBlocks(size.nLayers, (layer) => {
      const h = `${prefix}h.${layer}`;
      return {
        'ln1.w': at(`${h}.ln_1.weight`, 'd -> d'),
        'ln1.b': at(`${h}.ln_1.bias`, 'd -> d'),
        'ln2.w': at(`${h}.ln_2.weight`, 'd -> d'),
        'ln2.b': at(`${h}.ln_2.bias`, 'd -> d'),
        'attn.W_Q': at(`${h}.attn.c_attn.weight`, 'd (qkv head e) -> head d e', Q),
        'attn.W_K': at(`${h}.attn.c_attn.weight`, 'd (qkv head e) -> head d e', K),
        'attn.W_V': at(`${h}.attn.c_attn.weight`, 'd (qkv head e) -> head d e', V),
        'attn.b_Q': at(`${h}.attn.c_attn.bias`, '(qkv head e) -> head e', Q),
        'attn.b_K': at(`${h}.attn.c_attn.bias`, '(qkv head e) -> head e', K),
        'attn.b_V': at(`${h}.attn.c_attn.bias`, '(qkv head e) -> head e', V),
        'attn.W_O': at(`${h}.attn.c_proj.weight`, '(head e) d -> head e d'),
        'attn.b_O': at(`${h}.attn.c_proj.bias`, 'd -> d'),
        'mlp.W_in': at(`${h}.mlp.c_fc.weight`, 'd mlp -> d mlp'),
        'mlp.b_in': at(`${h}.mlp.c_fc.bias`, 'mlp -> mlp'),
        'mlp.W_out': at(`${h}.mlp.c_proj.weight`, 'mlp d -> mlp d'),
        'mlp.b_out': at(`${h}.mlp.c_proj.bias`, 'd -> d'),
      };
    }),
  };
};

const gguf: Dialect = {
  names: ['gpt2'],
  ignored: /^$/,
  read(fields, tensors) {
    const dModel = fields.integer('embedding_length');
    const size: Size = {
      nLayers: fields.integer('block_count'),
      nHeads: fields.integer('attention.head_count'),
      dModel,
      dMlp: fields.integer('feed_forward_length', { fallback: 4 * dModel }),
      nCtx: fields.integer('context_length'),
      dVocab: fields.integer('vocab_size', { fallback: tensors.get('token_embd.weight')?.shape[0] ?? 1 }),
    };
    const normEps = fields.real('attention.layer_norm_epsilon', 1e-5);
    const read = {
      // GGUF's gpt2 always means the tanh approximation
      config: config(fields, size, { activation: 'gelu_new', normEps, scaled: true }),
      weights: ggufWeights(size, tensors),
    };
    fields.finish(/^$/);
    return read;
  },
};

/** GGUF stores matrices [out, in]. */
const ggufWeights = (size: Size, tensors: ReadonlyMap<string, StoredTensor>): Reading['weights'] => {
  const { at } = placer(sizesOf(size));
  return {
    'embed.W_E': at('token_embd.weight', 'v d -> v d'),
    'pos_embed.W_pos': at('position_embd.weight', 'pos d -> pos d'),
    'ln_final.w': at('output_norm.weight', 'd -> d'),
    'ln_final.b': at('output_norm.bias', 'd -> d'),
    'unembed.W_U': at(tensors.has('output.weight') ? 'output.weight' : 'token_embd.weight', 'v d -> d v'),
    ...inBlocks(size.nLayers, (layer) => {
      const blk = `blk.${layer}`;
      return {
        'ln1.w': at(`${blk}.attn_norm.weight`, 'd -> d'),
        'ln1.b': at(`${blk}.attn_norm.bias`, 'd -> d'),
        'ln2.w': at(`${blk}.ffn_norm.weight`, 'd -> d'),
        'ln2.b': at(`${blk}.ffn_norm.bias`, 'd -> d'),
        'attn.W_Q': at(`${blk}.attn_qkv.weight`, '(qkv head e) d -> head d e', Q),
        'attn.W_K': at(`${blk}.attn_qkv.weight`, '(qkv head e) d -> head d e', K),
        'attn.W_V': at(`${blk}.attn_qkv.weight`, '(qkv head e) d -> head d e', V),
        'attn.b_Q': at(`${blk}.attn_qkv.bias`, '(qkv head e) -> head e', Q),
        'attn.b_K': at(`${blk}.attn_qkv.bias`, '(qkv head e) -> head e', K),
        'attn.b_V': at(`${blk}.attn_qkv.bias`, '(qkv head e) -> head e', V),
        'attn.W_O': at(`${blk}.attn_output.weight`, 'd (head e) -> head e d'),
        'attn.b_O': at(`${blk}.attn_output.bias`, 'd -> d'),
        'mlp.W_in': at(`${blk}.ffn_up.weight`, 'mlp d -> d mlp'),
        'mlp.b_in': at(`${blk}.ffn_up.bias`, 'mlp -> mlp'),
        'mlp.W_out': at(`${blk}.ffn_down.weight`, 'd mlp -> mlp d'),
        'mlp.b_out': at(`${blk}.ffn_down.bias`, 'd -> d'),
      };
    }),
  };
};

export const gpt2: Architecture = { key: 'gpt2', title: 'GPT-2', dialects: { huggingFace, gguf } };
