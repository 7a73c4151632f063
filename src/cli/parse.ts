/** Option values, checked where they enter: each parser takes the text as typed and returns the value or says what is wrong. */
import { InvalidArgumentError } from 'commander';
import { choicesFor } from '../nearest.js';

export type Parse<T> = (text: string) => T;

const reject = (expected: string): never => {
  throw new InvalidArgumentError(`Expected ${expected}.`);
};

/** Digits only: `5`, not `5.0`, `0x5` or `5 pairs`. */
export const integer =
  (bounds: { readonly least: number; readonly most?: number }): Parse<number> =>
  (text) => {
    const { least, most = Number.MAX_SAFE_INTEGER } = bounds;
    const n = /^-?\d+$/.test(text) ? Number(text) : NaN;
    const range = bounds.most === undefined ? `from ${least} up` : `from ${least} to ${most}`;
    return n >= least && n <= most ? n : reject(`a whole number ${range}`);
  };

export const number: Parse<number> = (text) => {
  const n = /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(text) ? Number(text) : NaN;
  return Number.isFinite(n) ? n : reject('a number, e.g. 0.05');
};

export const positive: Parse<number> = (text) => {
  const n = number(text);
  return n > 0 ? n : reject('a number above 0');
};

export const oneOf =
  <const T extends string>(...choices: readonly T[]): Parse<T> =>
  (text) =>
    choices.find((choice) => choice === text) ?? reject(`one of ${choicesFor(text, choices)}`);

/** When a BOS id is prepended: as the tokenizer's own template does, always, never. */
export const bos: Parse<boolean | 'auto'> = (text) => {
  const choice = oneOf('auto', 'true', 'false')(text);
  return choice === 'auto' ? choice : choice === 'true';
};

const UNITS: Readonly<Record<string, number>> = { '': 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30, TiB: 2 ** 40 };

/** `4GiB` → 4294967296 */
export const bytes: Parse<number> = (text) => {
  const [, digits, unit = ''] = /^(\d+(?:\.\d+)?)\s*([KMGT]iB)?$/.exec(text) ?? [];
  const n = digits === undefined ? NaN : Math.round(Number(digits) * UNITS[unit]!);
  return n > 0 && Number.isSafeInteger(n) ? n : reject('an amount of memory such as 512MiB or 4GiB');
};

/** `1,2,3` → [1, 2, 3] */
export const tokenIds: Parse<readonly number[]> = (text) =>
  /^\d+(,\d+)*$/.test(text) ? text.split(',').map(Number) : reject('token ids such as 464,3290,318');

/** `0,5,9` → [0, 5, 9] */
export const layers: Parse<readonly number[]> = (text) =>
  /^\d+(,\d+)*$/.test(text) ? [...new Set(text.split(',').map(Number))] : reject('layers such as 0,5,9');

/** `-2,-1,0,0.5` → [-2, -1, 0, 0.5] */
export const numbers: Parse<readonly number[]> = (text) => [
  ...new Set(text.split(',').map((part) => number(part.trim()))),
];

/** `S1,S2,end` → ['S1', 'S2', 'end'] */
export const names: Parse<readonly string[]> = (text) =>
  /^[\w+]+(,[\w+]+)*$/.test(text) ? [...new Set(text.split(','))] : reject('names such as S1,S2,end');

/** `z,mlp-out` → ['z', 'mlp-out'] */
export const keys: Parse<readonly string[]> = (text) =>
  /^[a-z-]+(,[a-z-]+)*$/.test(text) ? [...new Set(text.split(','))] : reject('names such as z,mlp-out');

/** A word of some form. */
export const matching =
  (form: RegExp, expected: string): Parse<string> =>
  (text) =>
    form.test(text) ? text : reject(expected);

export const path: Parse<string> = (text) => (text === '' ? reject('a path') : text);

export const text: Parse<string> = (typed) => (typed === '' ? reject('a value') : typed);
