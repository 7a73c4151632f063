import { refuse } from '../../errors.js';
import { readFields } from '../fields.js';
import { isObject, readJson } from '../json-file.js';
import { openSafetensors } from '../safetensors.js';
import { tensorStore } from '../tensor-store.js';
import { plainTokenizer } from '../tokenizer.js';
import { assemble } from './assemble.js';
import type { ModelFormat } from './types.js';

/** A folder with model.json (`{config, vocab?, bos_token?, …notes}`) and model.safetensors. */
export const plainFormat: ModelFormat = {
  title: 'plain container',
  looksLike: 'a folder with model.json and model.safetensors',
  recognises: ({ entries }) => entries?.includes('model.json') ?? false,
  async load({ path, entries }) {
    const where = `${path}/model.json`;
    const { config } = await readJson(where);
    if (!isObject(config))
      return refuse('model/config', `${where} has no 'config'; expected an object with d_model, n_layers, …`);
    const fields = readFields(new Map(Object.entries(config)), where);
    const { file, tensors } = await openSafetensors(`${path}/model.safetensors`);
    return assemble({
      kind: 'plain',
      family: 'plain',
      name: fields.text('model', fields.text('model_name', path.split('/').at(-1) ?? path)),
      fields,
      store: tensorStore(tensors, [file]),
      tokenizer: () => plainTokenizer(path, entries ?? []),
      source: path,
    });
  },
};
