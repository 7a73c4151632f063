/** Facts as causal tracing asks for them: prompts that name a subject, and the word that should follow. */
import { refuse } from '../../errors.js';
import { parseRows } from './json.js';

/** The format of ROME's known_1000.json; fields beside these are passed over. */
export interface Fact {
  readonly prompt: string;
  /** stands in the prompt as it is written here */
  readonly subject: string;
  readonly attribute: string;
}

/**
 * A JSON array of facts, or one fact per line.
 * @throws task/json, task/import
 */
export function parseFacts(text: string, path: string): Fact[] {
  const facts = parseRows(text, path).map(({ prompt, subject, attribute }, row) => {
    if (typeof prompt !== 'string' || typeof subject !== 'string' || typeof attribute !== 'string')
      return refuse('task/import', `${path}: row ${row} lacks one of the texts prompt, subject, attribute`);
    if (subject === '' || !prompt.includes(subject))
      return refuse('task/import', `${path}: row ${row}: the subject "${subject}" does not occur in "${prompt}"`);
    return { prompt, subject, attribute };
  });
  return facts.length > 0 ? facts : refuse('task/import', `${path}: there are no facts in it`);
}
