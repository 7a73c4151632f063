/** Which words a model's tokenizer writes as one token. */
import type { Tokenizer } from '../model/types.js';

const bare = (text: string): string => text.replace(/\s+/g, '');

/** Whether the ids say the text, white space aside: an unknown-word token, or a byte without a token, loses some of it. */
export const roundTrips = (text: string, ids: readonly number[], tokenizer: Tokenizer): boolean =>
  bare(tokenizer.decode(ids)) === bare(text);

/** Whether the text, leading space included, is one token that says it. */
export const isOneToken = (text: string, tokenizer: Tokenizer): boolean => {
  const ids = tokenizer.encode(text);
  return ids.length === 1 && roundTrips(text, ids, tokenizer);
};
