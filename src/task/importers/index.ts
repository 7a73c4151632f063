/** The importers of others' data sets, and importing: rows that cannot be used are left out, and the task says how many and why. */
import { refuse } from '../../errors.js';
import { choicesFor } from '../../nearest.js';
import { checkTask } from '../check.js';
import type { DroppedSource, TaskFile, TaskPair } from '../schema.js';
import { autoCircuit } from './auto-circuit.js';
import { eapIgCsv } from './eap-ig-csv.js';
import { featureCircuits } from './feature-circuits.js';
import type { Importer, ImportOptions } from './importer.js';
import { mib } from './mib.js';

export const IMPORTERS: readonly Importer[] = [autoCircuit, eapIgCsv, featureCircuits, mib];

/**
 * Turns a data set into a task file. Dropped are: rows that lack a prompt or an answer; with `options.model`, rows in
 * which the linter finds an error for that model (unequal lengths, answers of several tokens, …). How many of each is
 * recorded in the task's provenance.
 *
 * @param text the file's content
 * @throws task/unknown, task/json, task/import (not that format, or no row left)
 */
export const importTask = (key: string, text: string, options: ImportOptions): TaskFile => {
  const importer = findImporter(key);
  const { metric, rows, note } = importer.read(text, options);
  const unread = rows.flatMap((row) => ('dropped' in row ? [row.dropped] : []));
  const read = rows.filter((row): row is TaskPair => !('dropped' in row));
  const task: TaskFile = { name: options.name ?? importer.key, metric, pairs: read };
  const faults = faultsOf(task, options);
  const pairs = read.filter((_, index) => !faults.has(index));
  const dropped = counted([...unread, ...faults.values()]);
  if (pairs.length === 0) {
    const why = dropped.map(({ reason, count }) => `${count} × ${reason}`).join(', ');
    return refuse('task/import', `${options.path}: no row can be used (${why || 'there are none'})`);
  }
  const { model } = options;
  const tokenizer = model?.tokenizer?.digest;
  return {
    ...task,
    pairs,
    provenance: { source: importer.reference, ...(note === undefined ? {} : { note }), dropped: [...dropped] },
    ...(model === undefined
      ? {}
      : { model: { name: model.config.name, ...(tokenizer === undefined ? {} : { tokenizer }) } }),
  };
};

/** Far enough to see the first row. */
const BEGINNING = 4096;

/** The importer whose data set a text seems to be, or null. */
export const recogniseDataSet = (text: string): Importer | null =>
  IMPORTERS.find((importer) => importer.recognises(text.slice(0, BEGINNING))) ?? null;

const findImporter = (key: string): Importer =>
  IMPORTERS.find((importer) => importer.key === key) ??
  refuse(
    'task/unknown',
    `no importer is called "${key}"; expected one of ${choicesFor(
      key,
      IMPORTERS.map((one) => one.key),
    )}`,
  );

/** Row → the first lint rule that it breaks. */
const faultsOf = (task: TaskFile, { model, path }: ImportOptions): Map<number, string> => {
  const faults = new Map<number, string>();
  if (model === undefined || task.pairs.length === 0) return faults;
  const { findings } = checkTask(task, { ...model, path, split: false, seed: 0 });
  for (const { severity, pair, rule, message } of findings) {
    if (severity !== 'error') continue;
    if (pair === null) return refuse('task/import', message);
    if (!faults.has(pair)) faults.set(pair, `linter: ${rule}`);
  }
  return faults;
};

const counted = (reasons: readonly string[]): DroppedSource[] =>
  [...new Set(reasons)].sort().map((reason) => ({ reason, count: reasons.filter((one) => one === reason).length }));
