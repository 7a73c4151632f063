import type { Tokenizer } from '../../../model/types.js';
import { encodeOrNull } from '../../words.js';
import { everyOption, pairRule, placed, quoted } from '../rule.js';

export const answerTokens = pairRule('answer-tokens', 'every answer is exactly one token', (pair, { context }) =>
  everyOption(pair)
    .filter(({ ids, source }) => ids.length !== 1 && source !== '')
    .map(({ ids, source, role, answer }) => ({
      ...placed(answer.position),
      what: `the ${role} answer ${quoted(source)} is ${ids.length} tokens (${pieces(ids, context.tokenizer)}), not one${hint(source, context.tokenizer)}`,
    })),
);

const pieces = (ids: readonly number[], tokenizer: Tokenizer | null): string =>
  ids.map((id) => JSON.stringify(tokenizer?.tokenText(id) ?? id)).join(', ');

/** A forgotten leading space is the usual cause. */
const hint = (source: string | number, tokenizer: Tokenizer | null): string =>
  typeof source === 'string' &&
  !source.startsWith(' ') &&
  tokenizer !== null &&
  encodeOrNull(` ${source}`, tokenizer)?.length === 1
    ? `: with its leading space, ${quoted(` ${source}`)}, it is one`
    : ': choose another word';
