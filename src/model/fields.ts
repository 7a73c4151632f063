import { refuse } from '../errors.js';

/**
 * Checked reading of a model's settings, whichever file they come from. What has not been asked for by the end is a setting
 * that nobody here understands: `finish` refuses it, so that none is ever ignored.
 *
 * Every method throws model/config.
 */
export interface Fields {
  /** names the file in messages */
  readonly where: string;
  has(key: string): boolean;
  /** A whole number, at least `min` (1). Without `fallback` it must be there; null counts as absent. */
  integer(key: string, options?: { readonly min?: number; readonly fallback?: number }): number;
  /** A positive number. */
  real(key: string, fallback?: number): number;
  flag(key: string, fallback: boolean): boolean;
  text(key: string, fallback?: string): string;
  /** One of the options' values, by the name the file uses. */
  choice<T>(key: string, options: Readonly<Record<string, T>>, fallback?: string): T;
  /** Refuses any value but these; absent or null passes. */
  only(key: string, ...allowed: readonly unknown[]): void;
  /** Any value, unchecked. */
  raw(key: string): unknown;
  /** Refuses settings that were not asked for, are not empty (null, false, [], {}), and do not match `harmless`. */
  finish(harmless: RegExp): void;
}

/** No model has more of anything; keeps a damaged config from asking for the impossible. */
const LARGEST = 1e7;

export const readFields = (values: ReadonlyMap<string, unknown>, where: string): Fields => {
  const asked = new Set<string>();
  const raw = (key: string): unknown => {
    asked.add(key);
    return values.get(key) ?? undefined;
  };
  const wrong = (key: string, expected: string): never =>
    refuse('model/config', `${where}: '${key}' is ${show(values.get(key))}; expected ${expected}`);
  const value = <T>(key: string, fallback: T | undefined, is: (x: unknown) => x is T, expected: string): T => {
    const found = raw(key) ?? fallback;
    if (found === undefined) return wrong(key, expected);
    return is(found) ? found : wrong(key, expected);
  };
  return {
    where,
    raw,
    has: (key) => raw(key) !== undefined,
    integer(key, { min = 1, fallback } = {}) {
      const fits = (x: unknown): x is number => Number.isInteger(x) && Number(x) >= min && Number(x) <= LARGEST;
      return value(key, fallback, fits, `a whole number from ${min} to ${LARGEST}`);
    },
    real: (key, fallback) => value(key, fallback, isPositive, 'a positive number'),
    flag: (key, fallback) => value(key, fallback, isFlag, 'true or false'),
    text: (key, fallback) => value(key, fallback, isText, 'a text'),
    choice<T>(key: string, options: Readonly<Record<string, T>>, fallback?: string): T {
      const known = (x: unknown): x is string => typeof x === 'string' && Object.hasOwn(options, x);
      return options[value(key, fallback, known, `one of ${Object.keys(options).join(', ')}`)] as T;
    },
    only(key, ...allowed) {
      const found = raw(key);
      if (found !== undefined && !allowed.some((x) => JSON.stringify(x) === JSON.stringify(found)))
        wrong(
          key,
          allowed.length
            ? `${allowed.map(show).join(' or ')}; anything else is not supported`
            : 'it to be absent: it is not supported',
        );
    },
    finish(harmless) {
      for (const [key, found] of values)
        if (!asked.has(key) && !harmless.test(key) && !isEmpty(found))
          refuse(
            'model/config',
            `${where}: the setting '${key}' (${show(found)}) is not supported; a model that needs it would be computed wrongly`,
          );
    },
  };
};

const isPositive = (x: unknown): x is number => typeof x === 'number' && Number.isFinite(x) && x > 0;
const isFlag = (x: unknown): x is boolean => typeof x === 'boolean';
const isText = (x: unknown): x is string => typeof x === 'string';

const isEmpty = (x: unknown): boolean =>
  x === null || x === undefined || x === false || (typeof x === 'object' && Object.keys(x).length === 0);

const show = (x: unknown): string => {
  if (x === undefined) return 'missing';
  const text = JSON.stringify(x) ?? typeof x;
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
};
