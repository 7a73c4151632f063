import { readdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { readFields } from '../fields.js';
import { openGguf } from '../gguf/header.js';
import { ggufTokenizer } from '../gguf/tokenizer.js';
import { tensorStore } from '../tensor-store.js';
import { folderTokenizer } from '../tokenizer.js';
import { assemble } from './assemble.js';
import type { ModelFormat, Place } from './types.js';

/** A .gguf file, or a folder that holds exactly one. */
export const ggufFormat: ModelFormat = {
  title: 'GGUF',
  looksLike: 'a .gguf file, or a folder with exactly one',
  recognises: (place) => ggufFiles(place).length === 1,
  async load(place) {
    const path = ggufFiles(place)[0] ?? place.path;
    const { file, metadata, tensors } = await openGguf(path);
    const store = tensorStore(tensors, [file]);
    const family = String(metadata.get('general.architecture') ?? '');
    const own = [...metadata].filter(([key]) => key.startsWith(`${family}.`));
    const name = metadata.get('general.name');
    return assemble({
      kind: 'gguf',
      family,
      name: typeof name === 'string' && name !== '' ? name : (path.split('/').at(-1) ?? path),
      fields: readFields(new Map(own.map(([key, value]) => [key.slice(family.length + 1), value])), path),
      store,
      // The file's own tokenizer belongs to its weights; one that lies beside it helps out where there is none.
      tokenizer: async () =>
        ggufTokenizer(metadata, path) ?? folderTokenizer(dirname(path), await readdir(dirname(path))),
      source: place.path,
    });
  },
};

const ggufFiles = ({ path, entries }: Place): string[] => {
  const isGguf = (name: string): boolean => name.toLowerCase().endsWith('.gguf');
  if (entries) return entries.filter(isGguf).map((name) => `${path}/${name}`);
  return isGguf(path) ? [path] : [];
};
