import { refuse } from '../errors.js';
import { flawOfJson } from '../json-value.js';
import { readRegularFile } from '../regular-file.js';
import { refuseFile } from './range-file.js';

export type JsonObject = { readonly [key: string]: unknown };

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The object in a JSON file. @throws file/missing, file/unreadable, model/config */
export const readJson = async (path: string): Promise<JsonObject> => {
  const text = await readRegularFile(path).catch((error: unknown) => refuseFile(path, error));
  const value = parseJson(text, path);
  const flaw = flawOfJson(value);
  if (flaw !== null) return refuse('model/config', `${path}: ${flaw}; get the file again`);
  return isObject(value) ? value : refuse('model/config', `${path} does not hold a JSON object; get the file again`);
};

/** As {@link readJson}, but null where there is no such file. */
export const readJsonIfThere = async (
  path: string,
  names: readonly string[],
  name: string,
): Promise<JsonObject | null> => (names.includes(name) ? readJson(`${path}/${name}`) : null);

const parseJson = (text: string, path: string): unknown => {
  try {
    return JSON.parse(text);
  } catch (error) {
    return refuse('model/config', `${path} is not JSON (${(error as Error).message}); get the file again`, error);
  }
};
