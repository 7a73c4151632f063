/** What a job is asked, held against what it takes: TypeScript's callers are told by the compiler, all others here. */
import { refuse } from '../errors.js';
import { choicesFor } from '../nearest.js';

export interface Takes<Asked, Needed extends keyof Asked & string> {
  /** as it is exported and commanded */
  readonly name: string;
  /** what has no default */
  readonly needs: readonly Needed[];
  readonly defaults: Omit<Asked, Needed>;
  /** what may be given, too */
  readonly also?: readonly string[];
  /** options that take values of other types than their default's */
  readonly mixed?: readonly (keyof Asked & string)[];
}

const EXAMPLES: Readonly<Record<string, string>> = {
  model: "a bundled model's name, a folder or a .gguf file",
  task: "a shipped task's name or a task file",
  facts: 'a file of facts',
  hypothesis: "a shipped hypothesis' name or a file",
  site: 'an address such as resid5.pre',
  prompt: 'a text or a list of token ids',
};

const show = (value: unknown): string => (JSON.stringify(value) ?? String(value)).slice(0, 60);

/**
 * The request with its defaults.
 * @throws TheveninError cli/usage: an option that there is not, one that is missing, or a value of another type than its default's
 */
export const askedOf = <Asked extends object, Needed extends keyof Asked & string>(
  { name, needs, defaults, also = [], mixed = [] }: Takes<Asked, Needed>,
  request: Partial<Asked> & Pick<Asked, Needed>,
): Asked => {
  const given = request as Readonly<Record<string, unknown>> | null | undefined;
  if (typeof given !== 'object' || given === null || Array.isArray(given))
    return refuse('cli/usage', `${name} takes one object, not ${show(given)}; give at least ${needs.join(', ')}`);
  const usual: Readonly<Record<string, unknown>> = { ...defaults };
  const known = [...needs, ...Object.keys(usual), ...also];
  for (const [key, value] of Object.entries(given)) {
    if (value === undefined) continue;
    if (!known.includes(key))
      refuse('cli/usage', `${name}: there is no option ${key}; there are ${choicesFor(key, known)}`);
    const expected = typeof usual[key];
    if (mixed.some((one) => one === key)) continue;
    if (['number', 'string', 'boolean'].includes(expected) && typeof value !== expected)
      refuse('cli/usage', `${name}: "${key}" is ${show(value)}; expected a ${expected}, such as ${show(usual[key])}`);
  }
  for (const key of needs)
    if (given[key] === undefined || given[key] === null || given[key] === '')
      refuse('cli/usage', `${name}: ${key} must be given: ${EXAMPLES[key] ?? 'a value'}`);
  return { ...defaults, ...request } as Asked; // what has no default is in the request
};
