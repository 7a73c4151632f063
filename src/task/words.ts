/** Which words a model's tokenizer writes as one token. */
import { TheveninError } from '../errors.js';
import type { Tokenizer } from '../model/types.js';
import type { DroppedSource } from './schema.js';

/** What a tokenizer answers, or its error when the text or the ids are none that it knows. */
export const attempt = <T>(ask: () => T): T | TheveninError => {
  try {
    return ask();
  } catch (error) {
    if (error instanceof TheveninError && error.code.startsWith('tokenizer/')) return error;
    throw error;
  }
};

/** Token ids, or null when the tokenizer cannot write the text. */
export const encodeOrNull = (text: string, tokenizer: Tokenizer): readonly number[] | null => {
  const ids = attempt(() => (text === '' ? [] : tokenizer.encode(text)));
  return ids instanceof TheveninError ? null : ids;
};

const bare = (text: string): string => text.replace(/\s+/g, '');

/** Whether the ids say the text, white space aside: an unknown-word token, or a byte without a token, loses some of it. */
export const roundTrips = (text: string, ids: readonly number[], tokenizer: Tokenizer): boolean =>
  ids.length > 0 && bare(tokenizer.decode([...ids])) === bare(text);

/**
 * Token ids of an answer, as it stands within a text. Some tokenizers put a space before whatever they are given; where
 * that makes several tokens of a word that is one within a text, the one is taken.
 * @throws tokenizer/text
 */
export const answerIds = (text: string, tokenizer: Tokenizer): readonly number[] => {
  const alone = encodeOrNull(text, tokenizer);
  if (alone !== null && alone.length < 2) return alone;
  const before = encodeOrNull('a', tokenizer) ?? [];
  const whole = encodeOrNull(`a${text}`, tokenizer) ?? [];
  const rest = before.every((id, position) => id === whole[position]) ? whole.slice(before.length) : [];
  if (rest.length === 1 && roundTrips(text, rest, tokenizer)) return rest;
  return alone ?? tokenizer.encode(text);
};

/** The id of a text that is one token and says it, else null. */
export const oneToken = (text: string, tokenizer: Tokenizer): number | null => {
  const ids = attempt(() => answerIds(text, tokenizer));
  if (ids instanceof TheveninError || ids.length !== 1 || !roundTrips(text, ids, tokenizer)) return null;
  return ids[0] ?? null;
};

/** Keeps the words that are one token after a space, and says which are not. */
export const oneTokenWords = (
  words: readonly string[],
  what: string,
  tokenizer: Tokenizer,
): { readonly kept: readonly string[]; readonly dropped: readonly DroppedSource[] } => {
  const isOne = (word: string): boolean => oneToken(` ${word}`, tokenizer) !== null;
  const kept = words.filter(isOne);
  const items = words.filter((word) => !kept.includes(word));
  const reason = `${what} that are not one token for this model`;
  return { kept, dropped: items.length === 0 ? [] : [{ reason, count: items.length, items }] };
};
