import { refuse } from '../../errors.js';
import { flawOfJson } from '../../json-value.js';

/**
 * Parses JSON that a user named.
 * @param where how the message names the text: a path, or a path and a line
 * @throws task/json
 */
export const parseJson = (text: string, where: string): unknown => {
  const value = parsed(text, where);
  const flaw = flawOfJson(value);
  return flaw === null ? value : refuse('task/json', `${where}: ${flaw}; mend it there`);
};

const parsed = (text: string, where: string): unknown => {
  try {
    return JSON.parse(text.replace(/^\uFEFF/, '')) as unknown;
  } catch (error) {
    return refuse(
      'task/json',
      `${where}: not well-formed JSON: ${(error as Error).message.replace(/\s+/g, ' ')}`,
      error,
    );
  }
};

/** A JSON object, as opposed to null, a list or a scalar. */
export type Fields = Readonly<Record<string, unknown>>;
export const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The objects of a JSON Lines text (one per line, empty lines aside) or of a JSON array. */
export const parseRows = (text: string, path: string): Fields[] => {
  const rows = text.trimStart().startsWith('[')
    ? (parseJson(text, path) as unknown[])
    : text
        .split('\n')
        .map((line, index) => ({ line: line.trim(), number: index + 1 }))
        .filter(({ line }) => line !== '')
        .map(({ line, number }) => parseJson(line, `${path}, line ${number}`));
  const wrong = rows.findIndex((row) => !isFields(row));
  return wrong < 0 ? (rows as Fields[]) : refuse('task/json', `${path}: row ${wrong} is not a JSON object`);
};
