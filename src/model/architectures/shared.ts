import { refuse } from '../../errors.js';
import type { Fields } from '../fields.js';
import { layout } from '../layout.js';
import type { StoredTensor } from '../tensor-store.js';
import type { StoredWeight } from '../weights.js';

/** Says where weights are stored; `sizes` names the dimensions that its layout patterns use. */
export interface Placer {
  /** A weight that must be there. */
  at(tensor: string, pattern: string, pick?: Readonly<Record<string, number>>): StoredWeight;
}

export const placer = (sizes: Readonly<Record<string, number>>): Placer => ({
  at: (tensor, pattern, pick = {}) => ({ tensor, layout: layout(pattern, { sizes, at: pick }) }),
});

/** Only those entries whose tensor is stored: for biases that a family may or may not have. */
export const whereStored = (
  tensors: ReadonlyMap<string, StoredTensor>,
  weights: Readonly<Record<string, StoredWeight>>,
): Record<string, StoredWeight> =>
  Object.fromEntries(Object.entries(weights).filter(([, { tensor }]) => tensors.has(tensor)));

/** The entries of every block under their full names: `attn.W_Q` of block 3 is `blocks.3.attn.W_Q`. */
export const inBlocks = (
  nLayers: number,
  block: (layer: number) => Readonly<Record<string, StoredWeight>>,
): Record<string, StoredWeight> => {
  const all: Record<string, StoredWeight> = {};
  for (let layer = 0; layer < nLayers; layer++)
    for (const [name, weight] of Object.entries(block(layer))) all[`blocks.${layer}.${name}`] = weight;
  return all;
};

/** dModel / nHeads, for families whose files do not say dHead. @throws model/config */
export const evenSplit = (fields: Fields, dModel: number, nHeads: number): number =>
  dModel % nHeads === 0
    ? dModel / nHeads
    : refuse('model/config', `${fields.where}: the width ${dModel} does not divide into ${nHeads} heads`);

/** @throws model/config */
export const checkGroups = (fields: Fields, nHeads: number, nKeyValueHeads: number): void => {
  if (nHeads % nKeyValueHeads !== 0)
    refuse('model/config', `${fields.where}: ${nHeads} heads cannot share ${nKeyValueHeads} key-value heads evenly`);
};

/** @throws model/config */
export const checkRotaryDims = (fields: Fields, dims: number, dHead: number): void => {
  if (dims % 2 !== 0 || dims > dHead)
    refuse(
      'model/config',
      `${fields.where}: rotary on ${dims} of ${dHead} head dimensions; expected an even number, at most all`,
    );
};

/** One of the kinds for each layer, from a list of their names. @throws model/config */
export const layerKinds = <T>(
  fields: Fields,
  key: string,
  { kinds, nLayers }: { readonly kinds: Readonly<Record<string, T>>; readonly nLayers: number },
): T[] => {
  const names = fields.raw(key);
  const known = (name: unknown): name is string => typeof name === 'string' && Object.hasOwn(kinds, name);
  if (!Array.isArray(names) || names.length !== nLayers || !names.every(known))
    return refuse(
      'model/config',
      `${fields.where}: '${key}' has to name one kind of attention for each of ${nLayers} layers, of ${Object.keys(kinds).join(', ')}`,
    );
  return names.map((name: string) => kinds[name] as T);
};

/** Settings of a Hugging Face config.json that change nothing about the forward pass of a language model. */
export const HARMLESS = new RegExp(
  [
    '^_', // notes of the library to itself
    'dropout|pdrop|drop_rate', // training only
    '^initializer|^init_|_init$',
    '^(architectures|auto_map|dtype|torch_dtype|transformers_version|model_type|name_or_path|use_cache|use_return_dict)$',
    '_token_id$|_token_ids$|^tokenizer_class$|^prefix$|^problem_type$|^finetuning_task$',
    '^summary_|^task_specific_params$|^id2label$|^label2id$|^num_labels$|^reorder_and_upcast_attn$',
    '^(return_dict|output_|gradient_checkpointing|pretraining_tp$|attn_implementation|chunk_size_feed_forward|torchscript)',
    '^is_llama_config$|^transformers\\.js_config$|^unsloth_', // notes of other tools
    // how to generate, not how to compute
    '^(temperature|top_k|top_p|typical_p|max_length|min_length|num_beams|num_beam_groups|diversity_penalty|repetition_penalty|length_penalty|num_return_sequences|no_repeat_ngram_size|encoder_no_repeat_ngram_size)$',
  ].join('|'),
);
