import { layout } from '../layout.js';
import type { Fields } from '../fields.js';
import type { StoredWeight } from '../weights.js';
import { weightShapes } from '../weight-shapes.js';
import type { ModelConfig } from '../types.js';
import { checkGroups, checkRotaryDims, evenSplit, layerKinds } from './shared.js';
import type { Architecture, Dialect, Reading } from './types.js';
import { ACTIVATIONS } from './types.js';

/**
 * Thevenin's own container: a config in TransformerLens' words, weights already under TransformerLens' names and shapes.
 * It can say any of the arithmetic that the engine has.
 */
const plainDialect: Dialect = {
  names: ['plain'],
  ignored: /^$/,
  read(fields, tensors) {
    const config = readConfig(fields);
    const tied = fields.flag('tie_word_embeddings', false) && !tensors.has('unembed.W_U');
    fields.finish(/^(model|model_name|seed|n_params|init_.*)$/);
    const weights: Record<string, StoredWeight> = {};
    for (const [name, { shape, optional }] of weightShapes(config))
      if (tensors.has(name) || !optional) weights[name] = { tensor: name, layout: asStored(shape) };
    const unembed = {
      tensor: 'embed.W_E',
      layout: layout('v d -> d v', { sizes: { v: config.dVocab, d: config.dModel } }),
    };
    return { config, weights: tied ? { ...weights, 'unembed.W_U': unembed } : weights };
  },
};

/** The identity on a shape. */
const asStored = (shape: readonly number[]) => {
  const names = shape.map((_, axis) => `axis${axis}`);
  return layout(`${names.join(' ')} -> ${names.join(' ')}`, {
    sizes: Object.fromEntries(shape.map((size, axis) => [`axis${axis}`, size])),
  });
};

const NORMS = { LN: 'LN', RMS: 'RMS', none: null } as const;
const POSITIONAL = { standard: 'learned', learned: 'learned', rotary: 'rotary', none: 'none' } as const;
const DIRECTIONS = { causal: 'causal', bidirectional: 'bidirectional' } as const;

const readConfig = (fields: Fields): Reading['config'] => {
  fields.only('key_pad_token');
  const dModel = fields.integer('d_model');
  const nHeads = fields.integer('n_heads');
  const nKeyValueHeads = fields.integer('n_key_value_heads', { fallback: nHeads });
  const dHead = fields.has('d_head') ? fields.integer('d_head') : evenSplit(fields, dModel, nHeads);
  const dMlp = fields.flag('attn_only', false) ? 0 : fields.integer('d_mlp', { min: 0, fallback: 0 });
  const positional = fields.choice('positional_embedding_type', POSITIONAL, 'none');
  const dVocab = fields.integer('d_vocab');
  checkGroups(fields, nHeads, nKeyValueHeads);
  const rotary = rotaryOf(fields, dHead);
  if (positional === 'rotary') checkRotaryDims(fields, rotary.dims, dHead);
  return {
    nLayers: fields.integer('n_layers'),
    nHeads,
    nKeyValueHeads,
    dModel,
    dHead,
    dMlp,
    activation: fields.choice('act_fn', ACTIVATIONS, dMlp === 0 ? 'relu' : undefined),
    gatedMlp: fields.flag('gated_mlp', false),
    norm: fields.choice('normalization_type', NORMS, 'none'),
    normEps: fields.real('eps', 1e-5),
    positional,
    rotary: positional === 'rotary' ? rotary : null,
    attention: fields.choice('attention_dir', DIRECTIONS, 'causal'),
    attnScale: fields.real('attn_scale', Math.sqrt(dHead)),
    parallelBlocks: fields.flag('parallel_attn_mlp', false),
    nCtx: fields.integer('n_ctx'),
    dVocab,
    ...besides(fields),
    dVocabOut: fields.integer('d_vocab_out', { fallback: dVocab }),
  };
};

/** What most models lack, and then say nothing of. */
const besides = (
  fields: Fields,
): Pick<ModelConfig, 'normPlaces' | 'windows' | 'scoreCap' | 'logitCap' | 'embeddingScale'> => {
  const places = {
    before: fields.flag('norms_before', true),
    after: fields.flag('use_normalization_before_and_after', false),
  };
  return {
    ...(places.before && !places.after ? {} : { normPlaces: places }),
    ...(fields.flag('use_local_attn', false) ? { windows: windowsOf(fields) } : {}),
    ...(fields.has('attn_scores_soft_cap') ? { scoreCap: fields.real('attn_scores_soft_cap') } : {}),
    ...(fields.has('output_logits_soft_cap') ? { logitCap: fields.real('output_logits_soft_cap') } : {}),
    ...(fields.has('embedding_scale') ? { embeddingScale: fields.real('embedding_scale') } : {}),
  };
};

const windowsOf = (fields: Fields): (number | null)[] =>
  layerKinds(fields, 'attn_types', {
    kinds: { global: null, local: fields.integer('window_size') },
    nLayers: fields.integer('n_layers'),
  });

const rotaryOf = (fields: Fields, dHead: number) => {
  const base = fields.real('rotary_base', 10000);
  const adjacentPairs = fields.flag('rotary_adjacent_pairs', false);
  return { base, adjacentPairs, dims: fields.integer('rotary_dim', { fallback: dHead }) };
};

export const plain: Architecture = { key: 'plain', title: 'plain container', dialects: { plain: plainDialect } };
