/** Flags from what methods declare of their options. */
import { expectedOf, flagOf, sharedOptions, type SharedOption } from '../attribution/options.js';
import type { OptionSpec } from './command.js';
import { integer, matching, number, oneOf, positive, type Parse } from './parse.js';

type Schema = SharedOption['schema'];

/** How a value is read and what stands for it in the help, by the type that its schema names. */
const READERS: Readonly<Record<string, { readonly placeholder: string; parse(schema: Schema): Parse<unknown> }>> = {
  integer: { placeholder: '<n>', parse: ({ minimum }) => integer({ least: minimum as number }) },
  number: { placeholder: '<x>', parse: ({ exclusiveMinimum }) => (exclusiveMinimum === 0 ? positive : number) },
  string: {
    placeholder: '<word>',
    parse: (schema) =>
      schema.enum
        ? oneOf(...(schema.enum as readonly string[]))
        : matching(new RegExp(schema.pattern as string), expectedOf(schema)),
  },
};

/** The option as a flag. It has no default of its own, so that what is given can be told from what is not. */
function flagFor({ key, schema, methods }: SharedOption): OptionSpec<unknown> {
  const { placeholder, parse } = READERS[schema.type as string]!;
  const words = schema.type === 'string' ? ` (${expectedOf(schema)})` : '';
  return {
    flags: `${flagOf(key)} ${placeholder}`,
    description: `${methods.join(', ')}: ${schema.description}${words}`,
    parse: parse(schema),
    standard: schema.default as unknown,
  };
}

/** A flag for each option of the methods, but for those that the command has itself. */
export const methodFlags = (
  methods: Parameters<typeof sharedOptions>[0],
  own: Readonly<Record<string, unknown>>,
): Readonly<Record<string, OptionSpec<unknown>>> =>
  Object.fromEntries(
    sharedOptions(methods)
      .filter(({ key }) => !(key in own))
      .map((option) => [option.key, flagFor(option)]),
  );
