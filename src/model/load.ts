import { existsSync, readdirSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { refuse } from '../errors.js';
import { choicesFor } from '../nearest.js';
import type { Place } from './formats/index.js';
import { FORMATS } from './formats/index.js';
import { refuseFile } from './range-file.js';
import type { Model } from './types.js';

/** The package's models/ folder, seen from src/model as from dist/model. */
const BUNDLED = fileURLToPath(new URL('../../models/', import.meta.url));

export interface BundledModel {
  readonly name: string;
  readonly path: string;
}

/** The models that come with the package. */
export const bundledModels = (): BundledModel[] => {
  if (!existsSync(BUNDLED)) return [];
  return readdirSync(BUNDLED, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => ({ name, path: `${BUNDLED}${name}` }))
    .filter(({ path }) => existsSync(`${path}/model.json`) || existsSync(`${path}/config.json`));
};

/**
 * Loads a model by what is there: the name of a bundled model, a folder (plain container, Hugging Face, or one .gguf file),
 * or a .gguf file. Reads headers and the tokenizer only; weights are read when asked for.
 *
 * @throws file/missing, file/unreadable, model/unrecognised, and every code of model/ and weights/
 */
export const loadModel = async (source: string): Promise<Model> => {
  if (typeof source !== 'string' || source === '')
    return refuse(
      'file/missing',
      `no model was named but ${String(source)}; name a bundled model, a folder or a .gguf file`,
    );
  const bundled = bundledModels().find(({ name }) => name === source);
  const place = await placeOf(bundled?.path ?? source);
  const format = FORMATS.find((candidate) => candidate.recognises(place)) ?? refuseUnknown(place);
  return { ...(await format.load(place)), source };
};

const placeOf = async (source: string): Promise<Place> => {
  const path = source.length > 1 ? source.replace(/\/+$/, '') : source;
  try {
    return { path, entries: (await stat(path)).isDirectory() ? (await readdir(path)).sort() : null };
  } catch (error) {
    const isMissing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    return isMissing && !source.includes('/') ? refuseName(source, error) : refuseFile(path, error);
  }
};

/** Whoever writes a name and no path may mean a bundled model, or a model that has to be downloaded first. */
const refuseName = (name: string, error: unknown): never => {
  const names = bundledModels().map((model) => model.name);
  return refuse(
    'file/missing',
    `no model is called "${name}", and no file or folder; bundled are ${choicesFor(name, names)}; any other is named by its path, as in ./${name}`,
    error,
  );
};

const refuseUnknown = ({ path, entries }: Place): never => {
  const torch = entries?.some((name) => /^pytorch_model.*\.bin$|\.pth?$/.test(name));
  const hint = torch ? '; its PyTorch file has to be converted to safetensors first' : '';
  return refuse(
    'model/unrecognised',
    `${path} holds no model: expected ${FORMATS.map(({ looksLike }) => looksLike).join(', or ')}${hint}`,
  );
};
