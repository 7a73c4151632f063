/**
 * The parts of a tokenizer.json that the tokenizer library takes at their word: of an added token whose content is an object it
 * makes a dictionary of all of the object's spellings, until memory ends.
 */
import type { JsonObject } from './json-file.js';
import { isObject } from './json-file.js';

const isText = (value: unknown): value is string => typeof value === 'string';
const isFlag = (value: unknown): boolean => value === undefined || value === null || typeof value === 'boolean';

const isAddedToken = (token: unknown): boolean =>
  isObject(token) &&
  isText(token['content']) &&
  token['content'] !== '' &&
  ['special', 'single_word', 'lstrip', 'rstrip', 'normalized'].every((flag) => isFlag(token[flag]));

/** `"a b"`, in newer files `["a", "b"]` */
const isMerge = (merge: unknown): boolean =>
  isText(merge) ? merge.includes(' ') : Array.isArray(merge) && merge.length === 2 && merge.every(isText);

/** Unigram's: a token and its log-probability */
const isScored = (entry: unknown): boolean =>
  Array.isArray(entry) && entry.length === 2 && isText(entry[0]) && Number.isFinite(entry[1]);

/** What stands between texts and tokens; null where a tokenizer has none. */
const STEPS = ['normalizer', 'pre_tokenizer', 'post_processor', 'decoder'] as const;

const isStep = (step: unknown): boolean =>
  step === undefined || step === null || (isObject(step) && isText(step['type']));

const absentOr = (value: unknown, is: (value: unknown) => boolean): boolean =>
  value === undefined || value === null || is(value);

const listOf =
  (is: (value: unknown) => boolean) =>
  (value: unknown): boolean =>
    Array.isArray(value) && value.every(is);

/** What of a tokenizer.json has the wrong type, in words; null where all has the right one. Ids are checked elsewhere. */
export const wrongInTokenizer = (json: JsonObject): string | null => {
  const { added_tokens: added, model } = json;
  if (!absentOr(added, listOf(isAddedToken)))
    return "'added_tokens' is no list of tokens, each with a text as its content and true or false for the rest";
  if (!isObject(model)) return "'model' is no object";
  const { vocab, merges } = model;
  if (!isObject(vocab) && !listOf(isScored)(vocab))
    return "'model.vocab' maps no tokens to ids and is no list of tokens with their scores";
  if (!absentOr(merges, listOf(isMerge))) return "'model.merges' is no list of pairs of texts";
  const step = STEPS.find((name) => !isStep(json[name]));
  return step === undefined ? null : `'${step}' is neither null nor an object with a 'type'`;
};
