/** From text in a prompt to token positions, by encoding what comes before it: no tokenizer-specific offsets are needed. */
import type { Tokenizer } from '../model/types.js';
import { encodeOrNull } from './words.js';
import type { PromptSource, SpanSource } from './schema.js';

export type Range = readonly [first: number, afterLast: number];

/** A prompt as written and its token ids (without a BOS that Thevenin prepends). */
export interface EncodedText {
  readonly source: PromptSource;
  readonly ids: readonly number[];
}

export type ResolvedSpan = { readonly range: Range } | { readonly problem: string; readonly position?: number };

/**
 * Token range of the characters `[start, end)` of a text; null when they do not begin and end at token boundaries.
 * A space before the first character may belong to its token.
 */
export const tokenRange = (
  text: string,
  ids: readonly number[],
  tokenizer: Tokenizer,
  [start, end]: Range,
): Range | null => {
  const boundary = (at: number): number | null => {
    const before = encodeOrNull(text.slice(0, at), tokenizer);
    return before?.every((id, position) => id === ids[position]) ? before.length : null;
  };
  const spaced = start > 0 && text[start - 1] === ' ';
  const first = boundary(start) ?? (spaced ? boundary(start - 1) : null);
  const afterLast = boundary(end);
  return first === null || afterLast === null || afterLast <= first ? null : [first, afterLast];
};

const occurrences = (text: string, part: string): Range[] => {
  const found: Range[] = [];
  for (let at = text.indexOf(part); at >= 0; at = text.indexOf(part, at + 1)) found.push([at, at + part.length]);
  return found;
};

/** Positions of a span in the clean prompt, as the task file counts them. */
export const resolveSpan = (span: SpanSource, prompt: EncodedText, tokenizer: Tokenizer | null): ResolvedSpan => {
  if (Array.isArray(span)) return withinPrompt(span, prompt);
  const { text, at, occurrence } =
    typeof span === 'string' ? { text: span, at: undefined, occurrence: undefined } : span;
  if (typeof prompt.source !== 'string' || tokenizer === null) {
    return { problem: `is given by the text "${text}" but the prompt is token ids: give [first, afterLast]` };
  }
  const places = occurrences(prompt.source, text);
  const ranges = places.map((place) => tokenRange(prompt.source as string, prompt.ids, tokenizer, place));
  if (at !== undefined) return confirmed(at, text, ranges, prompt);
  if (places.length === 0) return { problem: `names "${text}", which does not occur in the clean prompt` };
  if (occurrence === undefined && places.length > 1) {
    return {
      problem: `names "${text}", which occurs ${places.length} times: say which with "occurrence" or give positions`,
    };
  }
  const range = ranges[(occurrence ?? 1) - 1];
  if (range === undefined)
    return { problem: `asks for occurrence ${occurrence} of "${text}", which occurs ${places.length} times` };
  return range === null ? { problem: `names "${text}", which does not begin and end where tokens do` } : { range };
};

const withinPrompt = (range: Range, { ids }: EncodedText): ResolvedSpan => {
  const [first, afterLast] = range;
  if (first >= afterLast)
    return { problem: `[${first}, ${afterLast}) is empty: the second number is the position after the last token` };
  if (afterLast <= ids.length) return { range };
  const hint = afterLast === ids.length + 1 ? ' (off by one? a BOS that is prepended is not counted)' : '';
  return {
    problem: `[${first}, ${afterLast}) reaches beyond the prompt, which has ${ids.length} tokens${hint}`,
    position: afterLast - 1,
  };
};

/** A span with positions and text: the text must stand exactly there. */
const confirmed = (at: Range, text: string, ranges: readonly (Range | null)[], prompt: EncodedText): ResolvedSpan => {
  const within = withinPrompt(at, prompt);
  const same = (range: Range | null, shift: number): boolean =>
    range !== null && range[0] === at[0] + shift && range[1] === at[1] + shift;
  if (ranges.some((range) => same(range, 0))) return within;
  const shift = [-1, 1].find((by) => ranges.some((range) => same(range, by)));
  const said = `[${at[0]}, ${at[1]})`;
  if (shift !== undefined) {
    return {
      problem: `${said} is off by one: "${text}" stands at [${at[0] + shift}, ${at[1] + shift})`,
      position: at[0],
    };
  }
  if ('problem' in within) return within;
  const actual = ranges.filter((range) => range !== null).map(([first, afterLast]) => `[${first}, ${afterLast})`);
  const elsewhere = actual.length > 0 ? `it stands at ${actual.join(', ')}` : 'it is nowhere in the clean prompt';
  return { problem: `${said} does not hold "${text}": ${elsewhere}`, position: at[0] };
};
