/** docs/parity.md, from what tests measured (docs/parity.json; `UPDATE_PARITY=1 npm test` writes it anew). */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { ParityRow } from '../test/helpers/parity.js';

/** Who computed what a test compares with, by what its title says; the first that fits. */
const PEERS: readonly (readonly [RegExp, string])[] = [
  [/log-prob|logits|residual site/, 'Hugging Face transformers'],
  [/activation patching|all 270 heads|layer/, 'TransformerLens'],
  [/./, 'EAP-IG'],
];
const peerOf = (title: string): string => PEERS.find(([pattern]) => pattern.test(title))![1];

const rows = (): ParityRow[] =>
  JSON.parse(readFileSync(fileURLToPath(new URL('parity.json', import.meta.url)), 'utf8')) as ParityRow[];

/** `the gpt2 golden on onnx` → model and runtime; SmolLM2 is run on onnx. */
const placeOf = ({ suite }: ParityRow): { model: string; runtime: string } => {
  const [, model = suite, runtime = 'onnx'] = /^the (.+) golden on (.+)$/.exec(suite) ?? [];
  return { model, runtime };
};

const figure = (row: ParityRow | undefined): string =>
  row === undefined ? '–' : `${row.distance.toExponential(0)} of ${row.tolerance.toExponential(0)}`;

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('<', '&lt;');

function tableOf(model: string, all: readonly ParityRow[]): string[] {
  const own = all.filter((row) => placeOf(row).model === model);
  const runtimes = [...new Set(own.map((row) => placeOf(row).runtime))].sort();
  const titles = [...new Set(own.map(({ title }) => title))];
  const lines = titles.map((title) => {
    const of = (runtime: string): ParityRow | undefined =>
      own.find((row) => row.title === title && placeOf(row).runtime === runtime);
    const numbers = Math.max(...own.filter((row) => row.title === title).map((row) => row.numbers));
    return `| ${[cell(title), peerOf(title), `${numbers}`, ...runtimes.map((runtime) => figure(of(runtime)))].join(' | ')} |`;
  });
  const head = ['what', 'computed by', 'numbers', ...runtimes];
  return [
    '',
    `## ${model}`,
    '',
    `| ${head.join(' | ')} |`,
    `| ${head.map((_, i) => (i < 2 ? '---' : '--:')).join(' | ')} |`,
    ...lines,
  ];
}

export function parityPage(note: string): string {
  const all = rows();
  const models = [...new Set(all.map((row) => placeOf(row).model))].sort();
  return [
    '# Parity',
    '',
    note,
    '',
    'What agrees with numbers that other people’s code computed, and how nearly. The small models are random, one for each',
    'architecture, and use every branch of it; their goldens are of transformers 4.57.3, TransformerLens 3.2.1 and EAP-IG (795f560),',
    'in float64 ([test/goldens/architectures](../test/goldens/architectures/README.md)). Each cell is the largest distance that the',
    'test saw, of the distance that it allows: for the small models relative to the largest number of the table compared, for',
    'SmolLM2 in logits or nats. `reference` computes in float64, `onnx` (the default) in float32. Runtimes other than these are held',
    'to the same goldens where they are installed.',
    ...models.flatMap((model) => tableOf(model, all)),
    '',
  ].join('\n');
}
