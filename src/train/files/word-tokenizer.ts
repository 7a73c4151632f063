/** A tokenizer whose tokens are words and punctuation marks, as a Hugging Face tokenizer.json. */

const END_OF_TEXT = '<|endoftext|>';
const UNKNOWN = '<|unknown|>';

/** The split that tokenizer.json's `Whitespace` makes: runs of letters and digits, runs of anything else but white space. */
export const wordsOf = (text: string): string[] => text.match(/\w+|[^\w\s]+/g) ?? [];

export interface WordVocabulary {
  /** token text by id; END_OF_TEXT is 0 */
  readonly tokens: readonly string[];
  /** @throws where a word is not in the vocabulary */
  encode(text: string): number[];
}

/** Every word of the texts, in the order of their letters. */
export function wordVocabulary(texts: readonly string[]): WordVocabulary {
  const words = [...new Set(texts.flatMap(wordsOf))].sort();
  const tokens = [END_OF_TEXT, UNKNOWN, ...words];
  const ids = new Map(tokens.map((token, id) => [token, id]));
  const idOf = (word: string): number => {
    const id = ids.get(word);
    if (id === undefined) throw new Error(`train/word-tokenizer: the word ${word} is not in the vocabulary`);
    return id;
  };
  return { tokens, encode: (text) => wordsOf(text).map(idOf) };
}

const special = (content: string, id: number): Record<string, unknown> => ({
  id,
  content,
  single_word: false,
  lstrip: false,
  rstrip: false,
  normalized: false,
  special: true,
});

/** tokenizer.json: a word is the same token at the start of a text and after a space. */
export const tokenizerJson = ({ tokens }: WordVocabulary): Record<string, unknown> => ({
  version: '1.0',
  truncation: null,
  padding: null,
  added_tokens: [special(END_OF_TEXT, 0), special(UNKNOWN, 1)],
  normalizer: null,
  pre_tokenizer: { type: 'Whitespace' },
  post_processor: null,
  // joins with spaces, none before , and .
  decoder: { type: 'WordPiece', prefix: '##', cleanup: true },
  // without pieces of words in the vocabulary, a token per word
  model: {
    type: 'WordPiece',
    continuing_subword_prefix: '##',
    max_input_chars_per_word: 100,
    unk_token: UNKNOWN,
    vocab: Object.fromEntries(tokens.map((token, id) => [token, id])),
  },
});

export const tokenizerConfigJson = (contextLength: number): Record<string, unknown> => ({
  tokenizer_class: 'PreTrainedTokenizerFast',
  eos_token: END_OF_TEXT,
  pad_token: END_OF_TEXT,
  unk_token: UNKNOWN,
  clean_up_tokenization_spaces: true,
  model_max_length: contextLength,
});
