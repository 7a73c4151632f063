import { finding } from '../../finding.js';
import { pairKey } from '../../pair-key.js';
import { SPLIT_NAMES } from '../../splits.js';
import type { LintRule } from '../rule.js';

/** Drawn splits keep repeated pairs together; splits that the file gives may not. */
export const duplicatePairs: LintRule = {
  key: 'duplicate-pairs',
  title: 'no pair is repeated, least of all across splits',
  check: ({ pairs, file, context }) => {
    const given = context.split ? file.splits : undefined;
    const splitOf = (index: number): string | undefined =>
      given && SPLIT_NAMES.find((name) => given[name].includes(index));
    const first = new Map<string, number>();
    return pairs.flatMap((pair) => {
      const key = pairKey(pair);
      const earlier = first.get(key);
      if (earlier === undefined) {
        first.set(key, pair.index);
        return [];
      }
      const [here, there] = [splitOf(pair.index), splitOf(earlier)];
      const place = { file: context.path, pair: pair.index };
      return here === undefined || there === undefined || here === there
        ? [finding('warning', 'duplicate-pairs', place, `has the same prompts as pair ${earlier}, so it counts twice`)]
        : [
            finding(
              'error',
              'duplicate-pairs',
              place,
              `is in split "${here}" but has the same prompts as pair ${earlier} in split "${there}": keep them in one split`,
            ),
          ];
    });
  },
};
