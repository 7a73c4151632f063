/** Filling templates whose slots become named spans. */
import { invariant } from '../../errors.js';
import type { Tokenizer } from '../../model/types.js';
import { encodeOrNull } from '../words.js';
import { tokenRange, type Range } from '../spans.js';

export interface Filled {
  readonly text: string;
  /** slot → characters [start, end) of its word */
  readonly places: ReadonlyMap<string, Range>;
}

/** Puts words into a template's `[slots]`; every slot occurs once. A slot `[_so]` is filled but not located. */
export const fill = (template: string, words: Readonly<Record<string, string>>): Filled => {
  const places = new Map<string, Range>();
  const text = template.split(/(\[[^\]]+\])/).reduce((sofar, piece) => {
    if (!piece.startsWith('[')) return sofar + piece;
    const slot = piece.slice(1, -1);
    const word = words[slot];
    invariant(word !== undefined, `template slot [${slot}] has no word`);
    if (!slot.startsWith('_')) places.set(slot, [sofar.length, sofar.length + word.length]);
    return sofar + word;
  }, '');
  return { text, places };
};

/**
 * Token positions of the slots and of the last token (`end`). A slot that is no whole number of tokens is left out; null
 * when that befalls one of the slots `needed` (by default all).
 */
export const spansOf = (
  filled: Filled,
  tokenizer: Tokenizer,
  needed: readonly string[] = [...filled.places.keys()],
): Record<string, [number, number]> | null => {
  const ids = encodeOrNull(filled.text, tokenizer);
  if (ids === null) return null;
  const spans: Record<string, [number, number]> = {};
  for (const [slot, place] of filled.places) {
    const range = tokenRange(filled.text, ids, tokenizer, place);
    if (range !== null) spans[slot] = [...range];
    else if (needed.includes(slot)) return null;
  }
  return { ...spans, end: [ids.length - 1, ids.length] };
};

/** Whether clean and corrupt have the same slots at the same token positions. */
export const sameShape = (
  clean: Record<string, [number, number]> | null,
  corrupt: typeof clean,
): clean is NonNullable<typeof clean> => clean !== null && JSON.stringify(clean) === JSON.stringify(corrupt);
