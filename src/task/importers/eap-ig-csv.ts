/**
 * The CSV files of EAP-IG (Hanna et al. 2024, arXiv 2403.17806): one pair per row; what the other columns are tells the
 * task. Columns that end in `_idx` hold token ids of one tokenizer.
 */
import { parse } from 'csv-parse/sync';
import { refuse } from '../../errors.js';
import type { MetricKey } from '../types.js';
import { isText, spaced, type Importer, type ImportOptions, type Row } from './importer.js';

type Columns = Readonly<Record<string, string>>;
type Answers =
  { readonly correct: (string | number)[]; readonly incorrect: (string | number)[] } | { readonly dropped: string };

/** One of EAP-IG's tasks, recognised by its columns. */
interface Shape {
  readonly name: string;
  readonly columns: readonly string[];
  readonly metric: MetricKey;
  readonly text?: (row: Columns) => Answers;
  readonly ids?: (row: Columns) => Answers;
}

/** A column of one id, or of a list of them: `12`, `[12, 14]`. */
const idList = (cell: string | undefined): number[] => (cell ?? '').match(/\d+/g)?.map(Number) ?? [];

const idColumns =
  (correct: string, incorrect: string) =>
  (row: Columns): Answers => ({ correct: idList(row[correct]), incorrect: idList(row[incorrect]) });

/** "A and B went …, A gave …": the name that comes again is the subject, the other the answer. */
const indirectObject = ({ clean = '' }: Columns): Answers => {
  const [, a = '', b = ''] = /([A-Z]\w+) and ([A-Z]\w+)/.exec(clean) ?? [];
  const count = (name: string): number => clean.split(new RegExp(`\\b${name}\\b`)).length - 1;
  if (a === '' || count(a) === count(b)) return { dropped: 'the two names cannot be told from the text' };
  const [io, s] = count(a) > count(b) ? [b, a] : [a, b];
  return { correct: [` ${io}`], incorrect: [` ${s}`] };
};

const YEARS = Array.from({ length: 100 }, (_, year) => String(year).padStart(2, '0'));

const laterYears = (row: Columns): Answers => {
  const year = Number(row['label'] ?? row['correct_idx']);
  return Number.isInteger(year) && year >= 0 && year < 99
    ? { correct: YEARS.slice(year + 1), incorrect: YEARS.slice(0, year + 1) }
    : { dropped: 'the year is not a number from 0 to 98' };
};

const textColumns =
  (correct: string, incorrect: string) =>
  (row: Columns): Answers => {
    const [right, wrong] = [spaced(row[correct]), spaced(row[incorrect])];
    return right === null || wrong === null
      ? { dropped: 'an answer is missing' }
      : { correct: [right], incorrect: [wrong] };
  };

/** The first whose columns are all there. */
const SHAPES: readonly Shape[] = [
  {
    name: 'ioi',
    columns: ['correct_idx', 'incorrect_idx'],
    metric: 'logit-difference',
    text: indirectObject,
    ids: idColumns('correct_idx', 'incorrect_idx'),
  },
  {
    name: 'fact-retrieval',
    columns: ['country', 'corrupted_country'],
    metric: 'logit-difference',
    text: textColumns('country', 'corrupted_country'),
    ids: idColumns('country_idx', 'corrupted_country_idx'),
  },
  {
    name: 'hypernymy',
    columns: ['answers_idx', 'corrupted_answers_idx'],
    metric: 'probability-difference',
    ids: idColumns('answers_idx', 'corrupted_answers_idx'),
  },
  {
    name: 'gender-bias',
    columns: ['clean_answer_idx', 'corrupted_answer_idx'],
    metric: 'logit-difference',
    ids: idColumns('clean_answer_idx', 'corrupted_answer_idx'),
  },
  { name: 'greater-than', columns: ['label'], metric: 'probability-difference', text: laterYears },
  { name: 'greater-than', columns: ['correct_idx'], metric: 'probability-difference', text: laterYears },
];

const readTable = (text: string, path: string): Columns[] => {
  try {
    return parse<Columns>(text, { columns: true, bom: true, skip_empty_lines: true });
  } catch (error) {
    return refuse('task/json', `${path}: not well-formed CSV: ${(error as Error).message}`, error);
  }
};

const pairOf = (row: Columns, corruptColumn: string, answersOf: (row: Columns) => Answers): Row => {
  const { clean } = row;
  const corrupt = row[corruptColumn];
  if (!isText(clean) || !isText(corrupt)) return { dropped: 'a prompt is missing' };
  const answers = answersOf(row);
  if ('dropped' in answers) return answers;
  if (answers.correct.length === 0 || answers.incorrect.length === 0) return { dropped: 'an answer is missing' };
  return { clean, corrupt, ...answers };
};

export const eapIgCsv: Importer = {
  key: 'eap-ig-csv',
  title: 'EAP-IG CSV: IOI, greater-than, gender bias, fact retrieval, hypernymy',
  reference: 'github.com/hannamw/EAP-IG (MIT)',
  recognises: (beginning) => /^\uFEFF?[\w," ]*\bclean\b[\w," ]*(\r?\n|$)/.test(beginning),
  read: (text, options: ImportOptions) => {
    const table = readTable(text, options.path);
    const columns = Object.keys(table[0] ?? {});
    const { corrupt = 'corrupted' } = options;
    const shape = SHAPES.find((one) => one.columns.every((column) => columns.includes(column)));
    if (shape === undefined || !columns.includes('clean') || !columns.includes(corrupt)) {
      return refuse(
        'task/import',
        `${options.path}: expected the columns clean, ${corrupt} and those of an EAP-IG task, found ${columns.join(', ') || 'no rows'}`,
      );
    }
    const kind = options.answers ?? (shape.text === undefined ? 'ids' : 'text');
    const answersOf = shape[kind] ?? refuse('task/import', `${options.path}: ${shape.name} has no answers as ${kind}`);
    const rows = table.map((row) => pairOf(row, corrupt, answersOf));
    const note = `EAP-IG ${shape.name}, corrupt from column ${corrupt}`;
    return {
      metric: shape.metric,
      rows,
      note: kind === 'ids' ? `${note}, answers are ids of the tokenizer that the file was made with` : note,
    };
  },
};
