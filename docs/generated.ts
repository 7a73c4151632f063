/** Every file in the repository that is a function of the source, and that function. A test holds them equal. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { TOKEN_METHODS } from '../src/attribution/tokens/index.js';
import { countEdges } from '../src/circuit/universe.js';
import { optionsOf, type CliCommand, type OptionSpec } from '../src/cli/command.js';
import { COMMANDS } from '../src/cli/commands/index.js';
import { METHODS } from '../src/attribution/edges/index.js';
import { SOURCE_KINDS } from '../src/engine/sources/kinds.js';
import { SOURCES } from '../src/engine/sources/index.js';
import { CATALOGUE } from '../src/errors.js';
import { emitHypothesisSchema } from '../src/interventions/scrubbing/schema.js';
import { RUN_FOLDERS } from '../src/report/folders/index.js';
import { NODE_METHODS } from '../src/attribution/nodes/index.js';
import { expectedOf, flagOf, pickOptions, sharedOptions } from '../src/attribution/options.js';
import { emitTaskSchema } from '../src/task/schema.js';
import { parityPage } from './parity.js';
import { FAILURE_PICTURES } from './failures/pictures.js';

interface GeneratedFile {
  /** from the repository's root */
  readonly path: string;
  readonly content: () => string | Promise<string>;
}

const NOTE = '<!-- Written by `npm run docs`; edit the source, not this file. -->';
const cell = (text: string): string => text.replaceAll('|', '\\|');
const row = (...cells: readonly string[]): string => `| ${cells.map(cell).join(' | ')} |`;

const errorsPage = (): string => {
  const entries = Object.entries(CATALOGUE).sort(([a], [b]) => (a < b ? -1 : 1));
  const areas = [...new Set(entries.map(([code]) => code.split('/')[0]!))];
  const section = (area: string): string[] => [
    '',
    `## ${area}`,
    '',
    row('code', 'exit', 'meaning'),
    row('---', '---', '---'),
    ...entries
      .filter(([code]) => code.startsWith(`${area}/`))
      .map(([code, { exit, summary }]) => row(`\`${code}\``, `${exit}`, summary)),
  ];
  const opening = [
    '# Errors',
    '',
    NOTE,
    '',
    'A failure is one line on standard error: `thevenin: <what is wrong, where, what to do> [code]`. With `--verbose` its stack',
    'follows. Exit code 2 means that the input is at fault, 1 that the program or the machine is, 130 that the run was',
    'interrupted. In the library the same failure is a `TheveninError` with the field `code`. Codes are stable.',
  ];
  return [...opening, ...areas.flatMap(section), ''].join('\n');
};

const fallback = ({ parse, standard, fallback: value = standard, required }: OptionSpec<unknown>): string => {
  if (required) return 'required';
  return parse === null || value === undefined ? '' : `\`${JSON.stringify(value).replaceAll('"', '')}\``;
};

const aliasNote = ({ aliases }: CliCommand): string =>
  aliases.length === 0 ? '' : ` Also called ${aliases.map((name) => `\`${name}\``).join(', ')}.`;

const commandSection = async (command: CliCommand): Promise<string[]> => {
  const options = Object.values(await optionsOf(command));
  const usage = [
    command.name,
    ...command.arguments.map(({ name }) => name),
    ...(options.length > 0 ? ['[options]'] : []),
  ];
  return [
    '',
    `## thevenin ${usage.join(' ')}`,
    '',
    `${command.summary[0]!.toUpperCase()}${command.summary.slice(1)}.${aliasNote(command)}`,
    ...(command.arguments.length === 0
      ? []
      : ['', ...command.arguments.map((a) => `- \`${a.name}\`: ${a.description}`)]),
    ...(options.length === 0 ? [] : ['', row('option', 'meaning', 'default'), row('---', '---', '---')]),
    ...options.map((option) => row(`\`${option.flags}\``, option.description, fallback(option))),
  ];
};

const commandsPage = async (): Promise<string> =>
  [
    '# Commands',
    '',
    NOTE,
    '',
    'Every command also takes `--verbose` and `--help`.',
    ...(await Promise.all(COMMANDS.map(commandSection))).flat(),
    '',
  ].join('\n');

/** The costs that methods state, at the shape of GPT-2 small. */
const methodsTable = (): string[] => {
  const layers = 12;
  const edges = countEdges({ nLayers: layers, nHeads: 12, hasMlp: true, parallelBlocks: false });
  const rows = METHODS.map((method) => {
    const { key, title, cost, reference } = method;
    const options = pickOptions(method);
    const { forwards, backwards } = cost(options, { edges, layers, minibatches: 10 });
    return row(`[\`${key}\`](#${key})`, title(options), `${forwards}`, `${backwards}`, reference);
  });
  return [
    row('`--method`', 'title in reports', 'F', 'B', 'reference'),
    row('---', '---', '--:', '--:', '---'),
    ...rows,
  ];
};

/** The costs that methods of attribution to tokens state, for a prompt of 15 tokens in 6 spans. */
const tokenMethodsTable = (): string[] => [
  row('`--method`', 'title in reports', 'of', 'adds up', 'F', 'B', 'reference'),
  row('---', '---', '---', '---', '--:', '--:', '---'),
  ...TOKEN_METHODS.map((method) => {
    const { key, title, of, sums, cost, reference } = method;
    const options = pickOptions(method);
    const { forwards, backwards } = cost(options, of === 'token' ? 15 : 6);
    const passes = [`${forwards}`, `${backwards}`];
    return row(`[\`${key}\`](#${key})`, title(options), `${of}s`, sums ? 'yes' : 'no', ...passes, reference);
  }),
];

const sourcesTable = (): string[] => [
  row('`--source`', 'what a cut edge reads', 'reference'),
  row('---', '---', '---'),
  ...SOURCE_KINDS.map((kind) => row(`\`${kind}\``, SOURCES[kind].title, SOURCES[kind].reference)),
];

/** The costs that estimators of nodes' effects state, with 5 points where they integrate. */
const estimatorsTable = (): string[] => [
  row('`--method`', 'title in reports', 'F', 'B', 'for', 'reference'),
  row('---', '---', '--:', '--:', '---', '---'),
  ...NODE_METHODS.map((method) => {
    const { key, title, cost, reference } = method;
    const options = pickOptions(method);
    const { forwards, backwards, each } = cost(options, undefined);
    const what = each === 'run' ? 'all sites and layers' : 'each site and layer';
    return row(`[\`${key}\`](#${key})`, title(options), `${forwards}`, `${backwards}`, what, reference);
  }),
];

/** The options that methods declare. */
export const optionsTable = (methods: Parameters<typeof sharedOptions>[0]) => (): string[] => [
  row('option', 'of', 'meaning', 'values', 'default'),
  row('---', '---', '---', '---', '---'),
  ...sharedOptions(methods).map(({ key, schema, methods: having }) =>
    row(
      `\`${flagOf(key)}\``,
      having.map((one) => `\`${one}\``).join(', '),
      schema.description ?? '',
      expectedOf(schema),
      `\`${String(schema.default)}\``,
    ),
  ),
];

/** Written by hand, but for the table between its marks. */
const pageWithTables = (file: string, tables: Readonly<Record<string, () => string[]>>) => (): string => {
  const page = readFileSync(fileURLToPath(new URL(file, import.meta.url)), 'utf8');
  return Object.entries(tables).reduce((text, [mark, table]) => {
    const marked = new RegExp(`(<!-- ${mark} -->\n).*?(<!-- /${mark} -->)`, 's');
    return text.replace(marked, (_, from: string, to: string) => [`${from}${NOTE}`, '', ...table(), '', to].join('\n'));
  }, page);
};

export const GENERATED: readonly GeneratedFile[] = [
  { path: 'docs/errors.md', content: errorsPage },
  { path: 'docs/commands.md', content: commandsPage },
  {
    path: 'docs/methods.md',
    content: pageWithTables('methods.md', { methods: methodsTable, options: optionsTable(METHODS) }),
  },
  {
    path: 'docs/nodes.md',
    content: pageWithTables('nodes.md', { methods: estimatorsTable, options: optionsTable(NODE_METHODS) }),
  },
  { path: 'docs/engine.md', content: pageWithTables('engine.md', { sources: sourcesTable }) },
  { path: 'docs/parity.md', content: () => parityPage(NOTE) },
  {
    path: 'docs/tokens.md',
    content: pageWithTables('tokens.md', { methods: tokenMethodsTable, options: optionsTable(TOKEN_METHODS) }),
  },
  { path: 'schemas/task.schema.json', content: emitTaskSchema },
  { path: 'schemas/hypothesis.schema.json', content: emitHypothesisSchema },
  ...RUN_FOLDERS.map(({ key, schema }) => ({
    path: `schemas/${key}.schema.json`,
    content: () => `${JSON.stringify(schema, null, 2)}\n`,
  })),
  ...FAILURE_PICTURES,
];
