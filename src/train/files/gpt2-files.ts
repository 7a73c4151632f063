/** A trained model as a Hugging Face folder of GPT-2's kind. */
import { writeSafetensors } from '../../model/safetensors.js';
import type { ModelConfig } from '../../model/types.js';
import { weightSpecs, type Blueprint } from '../forward.js';
import { tokenizerConfigJson, tokenizerJson, type WordVocabulary } from './word-tokenizer.js';
import { writeJson } from './write-json.js';

const OUTSIDE: Readonly<Record<string, string>> = {
  embed: 'transformer.wte.weight',
  positions: 'transformer.wpe.weight',
  'lnFinal.weight': 'transformer.ln_f.weight',
  'lnFinal.bias': 'transformer.ln_f.bias',
};

/** GPT-2's Conv1D matrices are [in, out], as in training. */
const IN_LAYER: Readonly<Record<string, string>> = {
  'ln1.weight': 'ln_1.weight',
  'ln1.bias': 'ln_1.bias',
  'qkv.weight': 'attn.c_attn.weight',
  'qkv.bias': 'attn.c_attn.bias',
  'o.weight': 'attn.c_proj.weight',
  'o.bias': 'attn.c_proj.bias',
  'ln2.weight': 'ln_2.weight',
  'ln2.bias': 'ln_2.bias',
  'mlp.in': 'mlp.c_fc.weight',
  'mlp.in.bias': 'mlp.c_fc.bias',
  'mlp.out': 'mlp.c_proj.weight',
  'mlp.out.bias': 'mlp.c_proj.bias',
};

function gpt2Name(name: string): string {
  const [layer = '', ...rest] = name.split('.');
  const found = OUTSIDE[name] ?? IN_LAYER[rest.join('.')];
  if (found === undefined) throw new Error(`train/gpt2-files: GPT-2 has no weight like ${name}`);
  return name in OUTSIDE ? found : `transformer.h.${layer}.${found}`;
}

const configJson = (config: ModelConfig): Record<string, unknown> => ({
  architectures: ['GPT2LMHeadModel'],
  model_type: 'gpt2',
  activation_function: 'gelu_new',
  n_embd: config.dModel,
  n_head: config.nHeads,
  n_inner: config.dMlp,
  n_layer: config.nLayers,
  n_positions: config.nCtx,
  n_ctx: config.nCtx,
  layer_norm_epsilon: config.normEps,
  scale_attn_weights: true,
  scale_attn_by_inverse_layer_idx: false,
  reorder_and_upcast_attn: false,
  tie_word_embeddings: true,
  vocab_size: config.dVocab,
  eos_token_id: 0,
  attn_pdrop: 0,
  embd_pdrop: 0,
  resid_pdrop: 0,
  torch_dtype: 'float32',
});

/** Writes config.json, model.safetensors, tokenizer.json and tokenizer_config.json. @throws file/unwritable */
export async function saveGpt2(
  folder: string,
  blueprint: Blueprint,
  { vocabulary, weights }: { vocabulary: WordVocabulary; weights: ReadonlyMap<string, Float32Array> },
): Promise<void> {
  const tensors = weightSpecs(blueprint).map(({ name, shape }) => {
    const data = weights.get(name);
    if (!data) throw new Error(`train/gpt2-files: no weight is called ${name}`);
    return [gpt2Name(name), { shape, data }] as const;
  });
  await writeSafetensors(`${folder}/model.safetensors`, Object.fromEntries(tensors), { format: 'pt' });
  await writeJson(`${folder}/config.json`, configJson(blueprint.config));
  await writeJson(`${folder}/tokenizer.json`, tokenizerJson(vocabulary));
  await writeJson(`${folder}/tokenizer_config.json`, tokenizerConfigJson(blueprint.config.nCtx));
}
