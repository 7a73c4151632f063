/** What a command is: data that the shell turns into a parser, help and an action. */
import { Command, Option } from 'commander';
import { invariant } from '../errors.js';
import type { ProgressListener } from '../progress.js';
import type { Parse } from './parse.js';

/** What the shell gives a running command. */
export interface Shell {
  readonly signal: AbortSignal;
  readonly onProgress: ProgressListener;
  /** One piece of the result, with a newline, on standard output. */
  readonly print: (text: string) => void;
}

/** `fallback` is what the option is when it is not given; it stands in the help. */
export interface OptionSpec<T> {
  readonly flags: string;
  readonly description: string;
  readonly parse: Parse<T> | null;
  readonly fallback?: T;
  /** what whoever reads the option makes of its absence; it stands in the help, too */
  readonly standard?: T;
  readonly required?: boolean;
}

/** An option that takes a value. */
export function value<T>(flags: string, description: string, parse: Parse<T>, fallback: T): OptionSpec<T>;
export function value<T>(flags: string, description: string, parse: Parse<T>): OptionSpec<T | undefined>;
export function value<T>(flags: string, description: string, parse: Parse<T>, fallback?: T): OptionSpec<T | undefined> {
  return { flags, description, parse, ...(fallback === undefined ? {} : { fallback }) };
}

/** An option that takes a value and must be given. */
export const required = <T>(flags: string, description: string, parse: Parse<T>): OptionSpec<T> => ({
  flags,
  description,
  parse,
  required: true,
});

/** A switch; `--no-x` is true until it is given. */
export const flag = (flags: string, description: string): OptionSpec<boolean> => ({
  flags,
  description,
  parse: null,
  fallback: flags.startsWith('--no-'),
});

type Specs = Readonly<Record<string, OptionSpec<unknown>>>;
type Values<S extends Specs> = { readonly [K in keyof S]: S[K] extends OptionSpec<infer T> ? T : never };

export interface ArgumentSpec {
  /** `<file>` must be given, `[text]` may be */
  readonly name: string;
  readonly description: string;
}

/** A command as the registry holds it. */
export interface CliCommand {
  readonly name: string;
  /** names that it had before, which go on working */
  readonly aliases: readonly string[];
  readonly summary: string;
  readonly arguments: readonly ArgumentSpec[];
  readonly options: Specs;
  /** Options that are declared by what the command is about, loaded when it is asked. */
  readonly declared?: (() => Promise<Specs>) | undefined;
  readonly run: (
    shell: Shell,
    given: readonly (string | undefined)[],
    options: Readonly<Record<string, unknown>>,
  ) => Promise<void>;
}

interface Definition<S extends Specs> {
  readonly name: string;
  readonly aliases?: readonly string[];
  readonly summary: string;
  readonly arguments?: readonly ArgumentSpec[];
  /** keyed as commander names them: `--no-split` is `split`, `--max-size` is `maxSize` */
  readonly options: S;
  readonly declared?: CliCommand['declared'];
  /** Imports the work when it is called, so that `--help` loads none of it. */
  readonly run: (shell: Shell, options: Values<S>, ...given: (string | undefined)[]) => Promise<void>;
}

export const defineCommand = <S extends Specs>(definition: Definition<S>): CliCommand => ({
  ...definition,
  aliases: definition.aliases ?? [],
  arguments: definition.arguments ?? [],
  // commander has filled `options` through the same specs, so its values have their types
  run: (shell, given, options) => definition.run(shell, options as Values<S>, ...given),
});

/** All options of a command. */
export const optionsOf = async ({ options, declared }: CliCommand): Promise<Specs> => ({
  ...options,
  ...(await declared?.()),
});

const toOption = (key: string, spec: OptionSpec<unknown>): Option => {
  const standing = spec.standard === undefined ? '' : ` (default: ${JSON.stringify(spec.standard)})`;
  const option = new Option(spec.flags, `${spec.description}${standing}`);
  invariant(
    option.attributeName() === key,
    `option ${spec.flags} is declared as ${key}, not ${option.attributeName()}`,
  );
  if (spec.parse !== null) option.argParser(spec.parse);
  if (spec.fallback !== undefined && spec.parse !== null) option.default(spec.fallback);
  return option.makeOptionMandatory(spec.required ?? false);
};

/** @param start runs a command that was asked for */
export const toParser = (
  command: CliCommand,
  options: Specs,
  start: (command: CliCommand, parsed: Command) => Promise<void>,
): Command => {
  const parser = new Command(command.name).aliases([...command.aliases]).description(command.summary);
  for (const argument of command.arguments) parser.argument(argument.name, argument.description);
  for (const [key, spec] of Object.entries(options)) parser.addOption(toOption(key, spec));
  return parser.action(() => start(command, parser));
};
