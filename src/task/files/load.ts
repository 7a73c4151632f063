/** Finding a task by name or path, and making its pairs for the model at hand. */
import { readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { refuse } from '../../errors.js';
import { choicesFor } from '../../nearest.js';
import type { ModelConfig, Tokenizer } from '../../model/types.js';
import { findGenerator } from '../generators/index.js';
import { parseJson } from './json.js';
import { parseTask, type TaskFile, type TaskSource } from '../schema.js';
import { readTextFile } from './text-file.js';

export interface LoadedTask {
  readonly source: TaskSource;
  /** the file that it was read from; messages name it */
  readonly path: string;
}

export interface ResolvedTask {
  readonly file: TaskFile;
  readonly path: string;
}

/** The folder `tasks` of the package: two levels above both src/task and dist/task. */
const SHIPPED = fileURLToPath(new URL('../../../tasks/', import.meta.url));
const EXTENSION = '.json';

/** The tasks that come with Thevenin, by name. */
export const shippedTasks = async (): Promise<readonly LoadedTask[]> => {
  const names = (await readdir(SHIPPED)).filter((name) => name.endsWith(EXTENSION)).sort();
  return Promise.all(names.map((name) => readTask(join(SHIPPED, name))));
};

/**
 * A shipped task by its name (`ioi`), or a task file by its path.
 * @throws task/unknown, file/missing, file/unreadable, task/json, task/schema
 */
export const loadTask = async (nameOrPath: string): Promise<LoadedTask> => {
  if (!/^[\w-]+$/.test(nameOrPath)) return readTask(nameOrPath);
  const shipped = (await readdir(SHIPPED)).map((name) => basename(name, EXTENSION));
  if (shipped.includes(nameOrPath)) return readTask(join(SHIPPED, nameOrPath + EXTENSION));
  return refuse(
    'task/unknown',
    `no task is called "${nameOrPath}"; shipped are ${choicesFor(nameOrPath, shipped.sort())}; a task file is named by its path, as in ./${nameOrPath}.json`,
  );
};

const readTask = async (path: string): Promise<LoadedTask> => {
  const text = await readTextFile(path, 'a task file (JSON)', ' or the name of a shipped task');
  try {
    return { source: parseTask(parseJson(text, path), path), path };
  } catch (error) {
    const importer = (await import('../importers/index.js')).recogniseDataSet(text);
    if (importer === null) throw error;
    return refuse(
      'task/schema',
      `${path}: this is no task but seems to be a data set (${importer.title}); make a task of it with thevenin import, or importTask('${importer.key}', …) of the library`,
      error,
    );
  }
};

/**
 * A task with its pairs: as they stand in the file, or made by the file's generator for this model. A file that has both
 * is taken at its pairs.
 *
 * @param count how many pairs; fewer than the file has: its first ones
 * @throws what {@link loadTask} throws, and task/generator
 */
export const resolveTask = async (
  nameOrPath: string,
  model: { readonly tokenizer: Tokenizer | null; readonly config: ModelConfig },
  { count, seed }: { readonly count?: number; readonly seed?: number } = {},
): Promise<ResolvedTask> => {
  const { source, path } = await loadTask(nameOrPath);
  return { file: await withPairs(source, path, { ...model, count, seed }), path };
};

const firstPairs = ({ splits, ...task }: TaskFile, count = Infinity): TaskFile => {
  const kept = (pairs: readonly number[]): number[] => pairs.filter((pair) => pair < count);
  return {
    ...task,
    pairs: task.pairs.slice(0, count),
    ...(splits === undefined
      ? {}
      : { splits: { discover: kept(splits.discover), choose: kept(splits.choose), report: kept(splits.report) } }),
  };
};

const withPairs = async (
  source: TaskSource,
  path: string,
  {
    tokenizer,
    config,
    count,
    seed,
  }: { tokenizer: Tokenizer | null; config: ModelConfig; count: number | undefined; seed: number | undefined },
): Promise<TaskFile> => {
  const { pairs, generator } = source;
  if (pairs !== undefined) return firstPairs({ ...source, pairs }, count);
  // the schema admits no task with neither
  if (generator === undefined) return refuse('task/schema', `${path}: neither "pairs" nor "generator"`);
  const made = await findGenerator(generator.name, path).generatePatiently({
    tokenizer,
    config,
    count: count ?? generator.count,
    seed: seed ?? generator.seed,
    options: generator.options ?? {},
  });
  // what the file says stands above what the generator says
  return { ...made, ...source, generator: made.generator, pairs: made.pairs, provenance: made.provenance } as TaskFile;
};
