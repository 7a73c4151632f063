/** Files of prompts: one on each line, or a JSON list of texts and lists of token ids. */
import { refuse } from '../../errors.js';
import { parseJson } from './json.js';

/** A text, or token ids taken as they are. */
export type Prompt = string | readonly number[];

/** @throws TheveninError task/json, task/import */
export function parsePromptSet(text: string, path: string): Prompt[] {
  if (!/^\uFEFF?\s*\[/.test(text)) return text.split(/\r?\n/).filter((line) => line.trim() !== '');
  const prompts = parseJson(text, path) as readonly unknown[];
  const wrong = prompts.findIndex((prompt) => !isPrompt(prompt));
  return wrong < 0
    ? (prompts as Prompt[])
    : refuse('task/import', `${path}: entry ${wrong} is neither a text nor a list of token ids`);
}

const isPrompt = (value: unknown): value is Prompt =>
  typeof value === 'string' || (Array.isArray(value) && value.every((id) => Number.isInteger(id)));
