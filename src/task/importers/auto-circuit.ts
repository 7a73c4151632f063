/**
 * The JSON of auto-circuit (Miller et al. 2024, arXiv 2407.08734): prompts with lists of answers; `word_idxs` are token
 * positions common to all prompts, BOS not counted, and become spans.
 */
import { refuse } from '../../errors.js';
import { isFields, parseJson, type Fields } from '../files/json.js';
import { isText, type Importer, type Row } from './importer.js';

type PromptValue = string | number[];
const isIds = (value: unknown): value is number[] =>
  Array.isArray(value) && value.every((id) => Number.isInteger(id) && Number(id) >= 0);
const isPrompt = (value: unknown): value is PromptValue => isText(value) || (isIds(value) && value.length > 0);
const isAnswers = (value: unknown): value is (string | number)[] =>
  Array.isArray(value) &&
  value.length > 0 &&
  value.every((one) => isText(one) || (Number.isInteger(one) && Number(one) >= 0));

const pairOf = (prompt: unknown, spans: Record<string, [number, number]>): Row => {
  if (!isFields(prompt)) return { dropped: 'the prompt is not an object' };
  const { clean, corrupt, answers, wrong_answers: wrong } = prompt;
  if (Array.isArray(clean) && Array.isArray(clean[0])) return { dropped: 'the prompt is given as embeddings' };
  if (!isPrompt(clean) || !isPrompt(corrupt)) return { dropped: 'a prompt is missing' };
  if (!isAnswers(answers) || !isAnswers(wrong)) return { dropped: 'an answer is missing' };
  return { clean, corrupt, correct: answers, incorrect: wrong, ...(Object.keys(spans).length === 0 ? {} : { spans }) };
};

/** Span names admit letters, digits, _ and +: `,_B` becomes `_B`. */
const spansOf = (positions: unknown): Record<string, [number, number]> =>
  Object.fromEntries(
    Object.entries(isFields(positions) ? positions : {})
      .filter((entry): entry is [string, number] => Number.isInteger(entry[1]))
      .map(([name, at]) => [name.replace(/[^A-Za-z0-9_+]/g, '').replace(/^(?=[^A-Za-z_])/, '_'), [at, at + 1]]),
  );

export const autoCircuit: Importer = {
  key: 'auto-circuit',
  title: 'auto-circuit JSON: prompts with answers, wrong answers and word positions',
  reference: 'github.com/UFO-101/auto-circuit (MIT)',
  recognises: (beginning) => /^\s*\{/.test(beginning) && /"prompts"\s*:\s*\[/.test(beginning),
  read: (text, { path }) => {
    const value = parseJson(text, path);
    const prompts = isFields(value) ? value['prompts'] : undefined;
    if (!Array.isArray(prompts)) return refuse('task/import', `${path}: expected an object with a list "prompts"`);
    const spans = spansOf((value as Fields)['word_idxs']);
    return { metric: 'logit-difference', rows: prompts.map((prompt) => pairOf(prompt, spans)) };
  },
};
