import { refuse } from '../../errors.js';
import { readFields } from '../fields.js';
import { isObject, readJson } from '../json-file.js';
import type { RangeFile } from '../range-file.js';
import { openSafetensors } from '../safetensors.js';
import type { StoredTensor, TensorStore } from '../tensor-store.js';
import { tensorStore } from '../tensor-store.js';
import { folderTokenizer } from '../tokenizer.js';
import { assemble } from './assemble.js';
import type { ModelFormat } from './types.js';

const WHOLE = 'model.safetensors';
const INDEX = 'model.safetensors.index.json';

/** A Hugging Face folder: config.json and model.safetensors, whole or in shards. */
export const huggingFaceFormat: ModelFormat = {
  title: 'Hugging Face folder',
  looksLike: 'a folder with config.json and model.safetensors (or model.safetensors.index.json and its shards)',
  recognises: ({ entries }) =>
    entries !== null && entries.includes('config.json') && (entries.includes(WHOLE) || entries.includes(INDEX)),
  async load({ path, entries }) {
    const where = `${path}/config.json`;
    const fields = readFields(new Map(Object.entries(await readJson(where))), where);
    const family = fields.text('model_type');
    return assemble({
      kind: 'huggingFace',
      family,
      name: path.split('/').at(-1) ?? path,
      fields,
      store: entries?.includes(WHOLE) ? await openWhole(`${path}/${WHOLE}`) : await openShards(path),
      tokenizer: () => folderTokenizer(path, entries ?? []),
      source: path,
    });
  },
};

const openWhole = async (path: string): Promise<TensorStore> => {
  const { file, tensors } = await openSafetensors(path);
  return tensorStore(tensors, [file]);
};

/** The index says which shard holds which tensor; both must agree. */
const openShards = async (folder: string): Promise<TensorStore> => {
  const index = `${folder}/${INDEX}`;
  const placed = await readIndex(index);
  const files: RangeFile[] = [];
  const tensors = new Map<string, StoredTensor>();
  try {
    for (const shard of new Set(placed.values())) {
      const open = await openSafetensors(`${folder}/${shard}`);
      files.push(open.file);
      for (const [name, tensor] of open.tensors) {
        if (placed.get(name) !== shard)
          refuse(
            'weights/malformed',
            `${open.file.path} holds '${name}', which ${index} says is in ${placed.get(name) ?? 'no shard'}; get the files again`,
          );
        tensors.set(name, tensor);
      }
    }
    for (const [name, shard] of placed)
      if (!tensors.has(name))
        refuse(
          'weights/missing',
          `'${name}' is not in ${folder}/${shard}, although ${index} says so; get the files again`,
        );
  } catch (error) {
    await Promise.all(files.map((file) => file.close()));
    throw error;
  }
  return tensorStore(tensors, files);
};

const readIndex = async (path: string): Promise<Map<string, string>> => {
  const { weight_map: map } = await readJson(path);
  if (!isObject(map)) return refuse('weights/malformed', `${path} has no 'weight_map'; get the file again`);
  return new Map(
    Object.entries(map).map(([name, shard]) => {
      const isName = typeof shard === 'string' && /^[^/\\]+\.safetensors$/.test(shard);
      return [
        name,
        isName
          ? shard
          : refuse(
              'weights/malformed',
              `${path} places '${name}' in ${JSON.stringify(shard)}, which is no file name beside it`,
            ),
      ];
    }),
  );
};
