import { finding } from '../../finding.js';
import { pairKey } from '../../pair-key.js';
import type { PreparedPair } from '../../prepare.js';
import { SPLIT_NAMES } from '../../splits.js';
import type { LintRule } from '../rule.js';

/**
 * Drawn splits keep pairs of the same prompts together; splits that the file gives may not. A pair whose roles are exchanged asks the
 * opposite question: it is no repetition, but prompts seen in one split are not to be reported on in another.
 */
export const duplicatePairs: LintRule = {
  key: 'duplicate-pairs',
  title: 'no pair is repeated, least of all across splits',
  check: ({ pairs, file, context }) => {
    const given = context.split ? file.splits : undefined;
    const splitOf = (index: number): string | undefined =>
      given && SPLIT_NAMES.find((name) => given[name].includes(index));
    const [first, firstInRoles] = [new Map<string, PreparedPair>(), new Map<string, PreparedPair>()];
    return pairs.flatMap((pair) => {
      const [earlier, same] = [known(first, pairKey(pair), pair), known(firstInRoles, rolesKey(pair), pair)];
      if (earlier === undefined) return [];
      const [here, there] = [splitOf(pair.index), splitOf(earlier.index)];
      const place = { file: context.path, pair: pair.index };
      if (here === undefined || there === undefined || here === there) {
        const what = `has the same prompts as pair ${same?.index}, so it counts twice`;
        return same === undefined ? [] : [finding('warning', 'duplicate-pairs', place, what)];
      }
      return [
        finding(
          'error',
          'duplicate-pairs',
          place,
          `is in split "${here}" but has the same prompts as pair ${earlier.index} in split "${there}": keep them in one split`,
        ),
      ];
    });
  },
};

const rolesKey = ({ clean, corrupt }: PreparedPair): string => `${clean.tokens.join(' ')}|${corrupt.tokens.join(' ')}`;

/** What has the key already; the pair takes it where nothing has. */
const known = (of: Map<string, PreparedPair>, key: string, pair: PreparedPair): PreparedPair | undefined => {
  const earlier = of.get(key);
  if (earlier === undefined) of.set(key, pair);
  return earlier;
};
