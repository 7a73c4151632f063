/** Every file in the repository that is a function of the source, and that function. A test holds them equal. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { TOKEN_METHODS } from '../src/attribution/tokens/index.js';
import { countEdges } from '../src/circuit/universe.js';
import type { CliCommand, OptionSpec } from '../src/cli/command.js';
import { COMMANDS } from '../src/cli/commands/index.js';
import { METHODS } from '../src/attribution/edges/index.js';
import { SOURCE_KINDS } from '../src/engine/sources/kinds.js';
import { SOURCES } from '../src/engine/sources/index.js';
import { CATALOGUE } from '../src/errors.js';
import { emitHypothesisSchema } from '../src/interventions/scrubbing/schema.js';
import { RUN_FOLDERS } from '../src/report/folders/index.js';
import { ESTIMATORS } from '../src/attribution/nodes/estimators.js';
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

const fallback = ({ parse, fallback: value, required }: OptionSpec<unknown>): string => {
  if (required) return 'required';
  return parse === null || value === undefined ? '' : `\`${JSON.stringify(value).replaceAll('"', '')}\``;
};

const aliasNote = ({ aliases }: CliCommand): string =>
  aliases.length === 0 ? '' : ` Also called ${aliases.map((name) => `\`${name}\``).join(', ')}.`;

const commandSection = (command: CliCommand): string[] => {
  const options = Object.values(command.options);
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

const commandsPage = (): string =>
  [
    '# Commands',
    '',
    NOTE,
    '',
    'Every command also takes `--verbose` and `--help`.',
    ...COMMANDS.flatMap(commandSection),
    '',
  ].join('\n');

/** The costs that methods state, at the shape of GPT-2 small. */
const methodsTable = (): string[] => {
  const layers = 12;
  const edges = countEdges({ nLayers: layers, nHeads: 12, hasMlp: true, parallelBlocks: false });
  const rows = METHODS.map(({ key, title, cost, reference }) => {
    const setting = { steps: 5, rule: 'midpoint', seed: 0 } as const;
    const { forwards, backwards } = cost(setting, { edges, layers, minibatches: 10 });
    return row(`[\`${key}\`](#${key})`, title(setting), `${forwards}`, `${backwards}`, reference);
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
  ...TOKEN_METHODS.map(({ key, title, of, sums, cost, reference }) => {
    const setting = { steps: 50, rule: 'midpoint', samples: 2048, seed: 0 } as const;
    const { forwards, backwards } = cost(setting, of === 'token' ? 15 : 6);
    const passes = [`${forwards}`, `${backwards}`];
    return row(`[\`${key}\`](#${key})`, title(setting), `${of}s`, sums ? 'yes' : 'no', ...passes, reference);
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
  ...ESTIMATORS.map(({ key, title, cost, reference }) => {
    const setting = { steps: 5, rule: 'midpoint' } as const;
    const { forwards, backwards, each } = cost(setting);
    const what = each === 'run' ? 'all sites and layers' : 'each site and layer';
    return row(`[\`${key}\`](#${key})`, title(setting), `${forwards}`, `${backwards}`, what, reference);
  }),
];

/** Written by hand, but for the table between its marks. */
const pageWithTable =
  (file: string, table: () => string[], mark = 'methods') =>
  (): string => {
    const page = readFileSync(fileURLToPath(new URL(file, import.meta.url)), 'utf8');
    const marked = new RegExp(`(<!-- ${mark} -->\n).*?(<!-- /${mark} -->)`, 's');
    return page.replace(marked, (_, from: string, to: string) => [`${from}${NOTE}`, '', ...table(), '', to].join('\n'));
  };

export const GENERATED: readonly GeneratedFile[] = [
  { path: 'docs/errors.md', content: errorsPage },
  { path: 'docs/commands.md', content: commandsPage },
  { path: 'docs/methods.md', content: pageWithTable('methods.md', methodsTable) },
  { path: 'docs/nodes.md', content: pageWithTable('nodes.md', estimatorsTable) },
  { path: 'docs/engine.md', content: pageWithTable('engine.md', sourcesTable, 'sources') },
  { path: 'docs/parity.md', content: () => parityPage(NOTE) },
  { path: 'docs/tokens.md', content: pageWithTable('tokens.md', tokenMethodsTable) },
  { path: 'schemas/task.schema.json', content: emitTaskSchema },
  { path: 'schemas/hypothesis.schema.json', content: emitHypothesisSchema },
  ...RUN_FOLDERS.map(({ key, schema }) => ({
    path: `schemas/${key}.schema.json`,
    content: () => `${JSON.stringify(schema, null, 2)}\n`,
  })),
  ...FAILURE_PICTURES,
];
