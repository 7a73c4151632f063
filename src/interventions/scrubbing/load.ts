/** Finding a hypothesis by name or path. */
import { readdir } from 'node:fs/promises';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { refuse } from '../../errors.js';
import { choicesFor } from '../../nearest.js';
import { parseJson } from '../../task/files/json.js';
import { parseHypothesis, type HypothesisFile } from './schema.js';
import { readTextFile } from '../../task/files/text-file.js';

/** The package's folder `circuits/hypotheses`. */
const SHIPPED = fileURLToPath(new URL('../../../circuits/hypotheses/', import.meta.url));
const EXTENSION = '.json';

/**
 * A shipped hypothesis by its name, or a hypothesis file by its path.
 * @throws interventions/hypothesis, file/missing, file/unreadable, task/json
 */
export async function loadHypothesis(nameOrPath: string): Promise<{ file: HypothesisFile; text: string }> {
  if (!/^[\w-]+$/.test(nameOrPath)) return readHypothesis(nameOrPath);
  const shipped = (await readdir(SHIPPED)).map((name) => basename(name, EXTENSION)).sort();
  if (shipped.includes(nameOrPath)) return readHypothesis(SHIPPED + nameOrPath + EXTENSION);
  return refuse(
    'interventions/hypothesis',
    `no hypothesis is called "${nameOrPath}"; shipped are ${choicesFor(nameOrPath, shipped)}; a file is named by its path, as in ./${nameOrPath}.json`,
  );
}

async function readHypothesis(path: string): Promise<{ file: HypothesisFile; text: string }> {
  const text = await readTextFile(path, 'a hypothesis (JSON)');
  return { file: parseHypothesis(parseJson(text, path), path), text };
}
