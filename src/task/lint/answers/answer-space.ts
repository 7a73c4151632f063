import type { Tokenizer } from '../../../model/types.js';
import { oneToken } from '../../words.js';
import type { PreparedPrompt } from '../../prepare.js';
import { everyOption, pairRule, placed, quoted } from '../rule.js';

/**
 * After a word a model goes on with " Paris", a token of its own beside "Paris", which continues a word. Both may be one token, so that
 * nothing else finds the slip. Only letters after a letter or a sentence's mark are meant: digits go on numbers, and after quotes and
 * brackets words stand without a space.
 */
export const answerSpace = pairRule(
  'answer-space',
  'answers that follow a word have their leading space',
  ({ clean, answers, ...pair }, { context: { tokenizer } }) =>
    tokenizer === null || !endsInWord(clean)
      ? []
      : everyOption({ clean, answers, ...pair })
          .filter(({ answer }) => answer.position === null || answer.position === clean.tokens.length - 1)
          .filter(({ source, ids }) => ids.length === 1 && isOtherSpaced(source, ids[0] as number, tokenizer))
          .map(({ source, role, answer }) => ({
            severity: 'warning' as const,
            ...placed(answer.position),
            what: `the ${role} answer ${quoted(source)} has no leading space, with which it is another token and likelier after a word: write ${quoted(` ${source}`)}, unless the word before goes on`,
          })),
);

const endsInWord = ({ source }: PreparedPrompt): boolean =>
  typeof source === 'string' && /[\p{L}.,;:!?]$/u.test(source);

const isOtherSpaced = (source: string | number, id: number, tokenizer: Tokenizer): boolean => {
  if (typeof source !== 'string' || !/^\p{L}/u.test(source)) return false;
  const spaced = oneToken(` ${source}`, tokenizer);
  return spaced !== null && spaced !== id;
};
