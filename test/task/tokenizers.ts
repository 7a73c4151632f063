/** Tokenizers small enough to count by hand, for this room's tests. */
import type { ModelConfig, Tokenizer } from '../../src/model/types.js';

interface Kind {
  /** words that are one token after a space, and one without */
  readonly words: readonly string[];
  /** how numbers are written: two digits a token (as GPT-2 writes years), or digit by digit */
  readonly numbers?: 'pairs' | 'digits';
  readonly prependsBos?: boolean;
}

const BOS = 0;
const PIECES = { pairs: / ?[A-Za-z]+| ?\d\d|[^]/g, digits: / ?[A-Za-z]+|[^]/g };

/**
 * Id 0 is BOS; 1 … 127 are single characters; then come the words, each without and with a space before it, and the
 * two-digit numbers likewise. A word that is not in the list is written character by character.
 */
export const textTokenizer = ({ words, numbers = 'digits', prependsBos = false }: Kind): Tokenizer => {
  const pairs = numbers === 'pairs' ? Array.from({ length: 100 }, (_, n) => String(n).padStart(2, '0')) : [];
  const texts = [
    '<bos>',
    ...Array.from({ length: 127 }, (_, index) => String.fromCharCode(index + 1)),
    ...[...new Set(words), ...pairs].flatMap((word) => [word, ` ${word}`]),
  ];
  const ids = new Map(texts.map((text, id) => [text, id]));
  const piece = (text: string): number[] => {
    const whole = ids.get(text);
    return whole !== undefined ? [whole] : [...text].map((character) => ids.get(character) as number);
  };
  return {
    encode: (text) => (text.match(PIECES[numbers]) ?? []).flatMap(piece),
    decode: (tokens) => tokens.map((id) => texts[id]).join(''),
    tokenText: (id) => texts[id] as string,
    bosId: BOS,
    prependsBos,
    vocabSize: texts.length,
    digest: 'a'.repeat(64),
  };
};

/** A model's shape as far as checking a task looks at it. */
export const configFor = (tokenizer: Tokenizer | null, overrides: Partial<ModelConfig> = {}): ModelConfig => ({
  name: 'tiny',
  architecture: 'gpt2',
  nLayers: 1,
  nHeads: 1,
  nKeyValueHeads: 1,
  dModel: 4,
  dHead: 4,
  dMlp: 0,
  activation: 'gelu_new',
  gatedMlp: false,
  norm: null,
  normEps: 1e-5,
  positional: 'learned',
  rotary: null,
  attention: 'causal',
  attnScale: 2,
  parallelBlocks: false,
  nCtx: 64,
  dVocab: tokenizer?.vocabSize ?? 50,
  dVocabOut: tokenizer?.vocabSize ?? 50,
  ...overrides,
});
