/** The pairs of a run as its record has them. */
import type { Model } from '../model/types.js';
import type { PairRecord, PairsRecord } from '../report/records/pairs.js';
import { sha256 } from '../report/sidecar.js';
import type { ListFile } from '../report/view.js';
import type { Answer, CheckedTask, Example } from '../task/types.js';
import { outputText, promptText } from './prompt-ids.js';

/** Pairs that a record shows; of more it shows as many of every split, and a file has all. */
const SHOWN = 40;
const ANSWERS = 8;
const PAIRS_FILE = 'pairs.json';

export interface Pairs {
  readonly record: PairsRecord;
  readonly lists: readonly ListFile[];
}

/** What came of each pair, by name; NaN or nothing where it was not measured. */
type Results = Readonly<Record<string, ArrayLike<number>>>;

/**
 * The pairs of a task, or those of them that a run took.
 * @param results in the order of `examples`
 */
export function pairsOf(
  model: Model,
  task: CheckedTask,
  { examples = task.examples, results, corrupt = true }: PairsGiven,
): Pairs {
  const splitOf = splitNames(task);
  const all = examples.map((example, i): PairRecord => ({
    index: example.index,
    split: splitOf(example),
    clean: textOf(model, example.clean, task.bos),
    corrupt: corrupt ? textOf(model, example.corrupt, task.bos) : null,
    ...answersOf(model, example.answers),
    results: resultsAt(results, i),
  }));
  return keepPairs(all);
}

interface PairsGiven {
  readonly examples?: readonly Example[];
  readonly results: Results;
  /** false: corrupt prompts played no part */
  readonly corrupt?: boolean;
}

/** All in the record where they are few; else the first of every split, and all in a file. */
export function keepPairs(all: readonly PairRecord[]): Pairs {
  if (all.length <= SHOWN) return { record: { shown: all, all: null }, lists: [] };
  const splits = [...new Set(all.map(({ split }) => split))];
  const each = Math.ceil(SHOWN / splits.length);
  const shown = splits.flatMap((split) => all.filter((one) => one.split === split).slice(0, each));
  const content = `[\n${all.map((one) => JSON.stringify(one)).join(',\n')}\n]\n`;
  const list = { file: PAIRS_FILE, sha256: sha256(Buffer.from(content)), count: all.length };
  return { record: { shown, all: list }, lists: [{ file: PAIRS_FILE, content }] };
}

function splitNames({ splits, examples }: CheckedTask): (example: Example) => string | null {
  if (splits.whole) return () => null;
  const names = (['discover', 'choose', 'report'] as const).flatMap((split) =>
    splits[split].map((place) => [examples[place] as Example, split] as const),
  );
  const byExample = new Map(names);
  return (example) => byExample.get(example) ?? null;
}

const textOf = (model: Model, ids: readonly number[], bos: boolean): string =>
  promptText(model, bos ? ids.slice(1) : ids);

function answersOf(model: Model, answers: readonly Answer[]): Pick<PairRecord, 'correct' | 'incorrect'> {
  const named = (side: 'correct' | 'incorrect'): string[] => {
    const ids = [...new Set(answers.flatMap((answer) => answer[side].ids))];
    const texts = ids.slice(0, ANSWERS).map((id) => outputText(model, id) ?? `${id}`);
    return ids.length > ANSWERS ? [...texts, '…'] : texts;
  };
  const targets = answers.flatMap(({ target }) => (target === undefined ? [] : [`${target}`]));
  return { correct: targets.length > 0 ? targets : named('correct'), incorrect: named('incorrect') };
}

const resultsAt = (results: Results, place: number): Record<string, number> =>
  Object.fromEntries(
    Object.entries(results).flatMap(([name, values]) => {
      const value = values[place];
      return value === undefined || Number.isNaN(value) ? [] : [[name, value]];
    }),
  );
