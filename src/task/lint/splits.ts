import { finding, type Finding } from '../finding.js';
import { pairKey } from '../pair-key.js';
import type { PreparedTask } from '../prepare.js';
import { FEWEST_TO_SPLIT, SPLIT_NAMES } from '../splits.js';
import type { LintRule } from './rule.js';

export const splits: LintRule = {
  key: 'splits',
  title: 'the splits are disjoint, within range and not empty; there are pairs enough to split',
  check: (task) => {
    if (!task.context.split) return [];
    return task.file.splits === undefined ? enough(task) : given(task, task.file.splits);
  },
};

const enough = ({ pairs, context }: PreparedTask): Finding[] => {
  const distinct = new Set(pairs.map(pairKey)).size;
  if (distinct >= FEWEST_TO_SPLIT) return [];
  const what = `${distinct} distinct pair${distinct === 1 ? '' : 's'} cannot be split into discover, choose and report: give at least ${FEWEST_TO_SPLIT}, or use every pair for everything with --no-split (in the library split: false); add ${FEWEST_TO_SPLIT - distinct} with other prompts (exchanging clean and corrupt makes no other)`;
  return [finding('error', 'splits', { file: context.path }, what)];
};

const given = ({ pairs, context }: PreparedTask, lists: NonNullable<PreparedTask['file']['splits']>): Finding[] => {
  const file = context.path;
  const seen = new Map<number, string>();
  return SPLIT_NAMES.flatMap((name) => {
    const empty = lists[name].length === 0 ? [finding('error', 'splits', { file }, `split "${name}" is empty`)] : [];
    const wrong = lists[name].flatMap((pair) => {
      if (pair >= pairs.length)
        return [
          finding(
            'error',
            'splits',
            { file, pair },
            `split "${name}" names a pair that is not there (there are ${pairs.length})`,
          ),
        ];
      const other = seen.get(pair);
      seen.set(pair, name);
      return other === undefined
        ? []
        : [finding('error', 'splits', { file, pair }, `is in split "${other}" and again in "${name}"`)];
    });
    return [...empty, ...wrong];
  });
};
