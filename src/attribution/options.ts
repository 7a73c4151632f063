/**
 * The options of a method, declared by it. From the declaration come its flags, the check of what is given, the tables of the docs
 * and what the record says.
 */
import type { Static, TSchema, TUnsafe } from '@sinclair/typebox';
import { refuse, type ErrorCode } from '../errors.js';

/** Each option's schema holds its default and a description of one line. */
export type Declared = Readonly<Record<string, TSchema>>;
export type OptionsOf<D extends Declared> = { readonly [Key in keyof D]: Static<D[Key]> };
/** Options of a method that is known by its key alone. */
export type Options = Readonly<Record<string, unknown>>;

interface About<T> {
  /** what the option is when it is not given */
  readonly standard: T;
  /** with which a value out of range is refused; default attribution/option */
  readonly code?: ErrorCode;
}

/** A JSON Schema. Written as it stands: the library that makes schemas takes longer to import than all methods together. */
const schemaOf = <T>(schema: Readonly<Record<string, unknown>>): TUnsafe<T> => schema as TSchema as TUnsafe<T>;

/** A whole number, `least` or more. */
export const wholeOption = (description: string, { standard, least, ...rest }: About<number> & { least: number }) =>
  schemaOf<number>({ type: 'integer', minimum: least, default: standard, description, ...rest });

/** Any number. */
export const numberOption = (description: string, { standard, ...rest }: About<number>) =>
  schemaOf<number>({ type: 'number', default: standard, description, ...rest });

/** A number above 0. */
export const positiveOption = (description: string, { standard, ...rest }: About<number>) =>
  schemaOf<number>({ type: 'number', exclusiveMinimum: 0, default: standard, description, ...rest });

/** One of a few words. */
export const choiceOption = <const T extends string>(
  description: string,
  { choices, standard, ...rest }: About<NoInfer<T>> & { readonly choices: readonly T[] },
) => schemaOf<T>({ type: 'string', enum: choices, default: standard, description, ...rest });

/** A word of a form that `expected` describes. */
export const wordOption = <T extends string>(
  description: string,
  { standard, ...rest }: About<T> & { readonly pattern: string; readonly expected: string },
) => schemaOf<T>({ type: 'string', default: standard, description, ...rest });

/** What randomness starts from. A run has one seed, which its splits and random circuits read, too. */
export const seedOption = wholeOption('of what is random', { standard: 0, least: 0 });

/** A method, as far as its options go. */
interface HasOptions {
  readonly key: string;
  readonly options: Declared;
}

/** An option, and the methods that have it, in the order of their registry. */
export interface SharedOption {
  readonly key: string;
  readonly schema: TSchema;
  readonly methods: readonly string[];
}

/** All options of the methods of a level. Methods that share one declare the same. */
export function sharedOptions(methods: readonly HasOptions[]): readonly SharedOption[] {
  const all = new Map<string, { schema: TSchema; methods: string[] }>();
  for (const { key: method, options } of methods)
    for (const [key, schema] of Object.entries(options)) {
      const known = all.get(key);
      if (known) known.methods.push(method);
      else all.set(key, { schema, methods: [method] });
    }
  return [...all].map(([key, one]) => ({ key, ...one }));
}

export const optionKeys = (methods: readonly HasOptions[]): string[] => sharedOptions(methods).map(({ key }) => key);

/** `noiseScale` → `--noise-scale` */
export const flagOf = (key: string): string => `--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;

/** What a value must be, in words. */
export const expectedOf = ({ type, enum: choices, minimum, exclusiveMinimum, expected }: TSchema): string => {
  if (choices) return (choices as readonly string[]).join(', ');
  if (type === 'integer') return `a whole number from ${minimum} up`;
  return (expected as string | undefined) ?? (exclusiveMinimum === undefined ? 'a number' : 'a number above 0');
};

interface Reading {
  /** those of the same level: an option that only others have is refused */
  readonly methods: readonly HasOptions[];
  /** options that something else in the run reads, too */
  readonly elsewhere?: readonly string[];
}

/**
 * Every option of a method: what is given of it, or else its default.
 * @throws TheveninError attribution/option, or the option's own code
 */
export function readOptions(method: HasOptions, given: Options, { methods, elsewhere = ['seed'] }: Reading): Options {
  for (const { key, methods: having } of sharedOptions(methods))
    if (given[key] !== undefined && !(key in method.options) && !elsewhere.includes(key))
      refuse(
        'attribution/option',
        `${method.key} has no option ${flagOf(key)}; ${having.join(', ')} ${having.length === 1 ? 'has' : 'have'} it: leave it out or choose ${having.length === 1 ? 'that method' : 'one of these methods'}`,
      );
  const options = pickOptions(method, given);
  for (const [key, schema] of Object.entries(method.options)) checkOption(key, schema, options[key]);
  return options;
}

/** Those of the given values that are options of the method, and the defaults of its others. */
export const pickOptions = ({ options }: HasOptions, given: Options = {}): Options =>
  Object.fromEntries(Object.entries(options).map(([key, schema]) => [key, given[key] ?? (schema.default as unknown)]));

/** Whether a value is what one of the schemas above asks for. */
function isOf({ type, enum: choices, pattern, minimum, exclusiveMinimum }: TSchema, value: unknown): boolean {
  if (type === 'string')
    return (
      typeof value === 'string' &&
      (choices as readonly string[] | undefined)?.includes(value) !== false &&
      (pattern === undefined || new RegExp(pattern as string, 'u').test(value))
    );
  if (typeof value !== 'number' || !Number.isFinite(value) || (type === 'integer' && !Number.isInteger(value)))
    return false;
  return (
    value >= ((minimum as number | undefined) ?? -Infinity) &&
    value > ((exclusiveMinimum as number | undefined) ?? -Infinity)
  );
}

function checkOption(key: string, schema: TSchema, value: unknown): void {
  if (!isOf(schema, value))
    refuse(
      (schema['code'] as ErrorCode | undefined) ?? 'attribution/option',
      `${flagOf(key)} ${String(value)}: expected ${expectedOf(schema)} (${schema.description ?? key})`,
    );
}
