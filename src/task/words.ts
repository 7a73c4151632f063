/** Which words a model's tokenizer writes as one token. */
import type { Tokenizer } from '../model/types.js';
import type { DroppedSource } from './schema.js';

const bare = (text: string): string => text.replace(/\s+/g, '');

/** Whether the ids say the text, white space aside: an unknown-word token, or a byte without a token, loses some of it. */
export const roundTrips = (text: string, ids: readonly number[], tokenizer: Tokenizer): boolean =>
  ids.length > 0 && bare(tokenizer.decode([...ids])) === bare(text);

/**
 * Token ids of an answer, as it stands within a text. Some tokenizers put a space before whatever they are given; where
 * that makes several tokens of a word that is one within a text, the one is taken.
 */
export const answerIds = (text: string, tokenizer: Tokenizer): readonly number[] => {
  if (text === '') return [];
  const alone = tokenizer.encode(text);
  if (alone.length === 1) return alone;
  const before = tokenizer.encode('a');
  const rest = continuation(before, tokenizer.encode(`a${text}`));
  return rest?.length === 1 && roundTrips(text, rest, tokenizer) ? rest : alone;
};

/** What `whole` adds to `before`; null when it does not begin with it. */
export const continuation = (before: readonly number[], whole: readonly number[]): readonly number[] | null =>
  before.every((id, position) => id === whole[position]) ? whole.slice(before.length) : null;

/** The id of a text that is one token and says it, else null. */
export const oneToken = (text: string, tokenizer: Tokenizer): number | null => {
  const ids = answerIds(text, tokenizer);
  const [id] = ids;
  return ids.length === 1 && id !== undefined && roundTrips(text, ids, tokenizer) ? id : null;
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
