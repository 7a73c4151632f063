/**
 * Rows of the Mechanistic Interpretability Benchmark (Mueller et al. 2025, arXiv 2504.13151), as a JSON array or JSON
 * Lines: a prompt and its counterfactuals, each named `…_counterfactual`. What else a row has tells the task.
 */
import { refuse } from '../../errors.js';
import { isFields, parseRows, type Fields } from '../files/json.js';
import { isText, spaced, type Importer, type Row } from './importer.js';

/** Fields of the row and of the counterfactual chosen → [correct, incorrect]; null when they are not all there. */
type AnswersOf = (row: Fields, counterfactual: Fields) => readonly [string | null, string | null];

interface Shape {
  readonly field: string;
  readonly answers: AnswersOf;
}

const metadata = (row: Fields, field: string): unknown =>
  isFields(row['metadata']) ? row['metadata'][field] : row[`metadata.${field}`];

/** The label of the right choice: `choices.label[answerKey]`. */
const chosenLabel = (row: Fields): string | null => {
  const labels = isFields(row['choices']) ? row['choices']['label'] : row['choices.label'];
  return Array.isArray(labels) ? spaced(labels[Number(row['answerKey'])]) : null;
};

const asWritten = (value: unknown): string | null =>
  isText(value) ? value : typeof value === 'number' ? String(value) : null;

const SHAPES: readonly Shape[] = [
  { field: 'answerKey', answers: (row, other) => [chosenLabel(row), chosenLabel(other)] },
  { field: 'label', answers: (row, other) => [asWritten(row['label']), asWritten(other['label'])] },
  // IOI: the names stay the clean prompt's, whatever the counterfactual changes
  { field: '', answers: (row) => [spaced(metadata(row, 'indirect_object')), spaced(metadata(row, 'subject'))] },
];

/** A counterfactual, nested (`{"x_counterfactual": {"prompt"}}`) or flat (`{"x_counterfactual.prompt"}`). */
const counterfactualOf = (row: Fields, name: string): Fields => {
  const nested = row[name];
  if (isFields(nested)) return nested;
  const own = Object.entries(row).filter(([key]) => key.startsWith(`${name}.`));
  return Object.fromEntries(own.map(([key, value]) => [key.slice(name.length + 1), value]));
};

const pairOf = (row: Fields, name: string): Row => {
  const counterfactual = counterfactualOf(row, name);
  const [clean, corrupt] = [row['prompt'], counterfactual['prompt']];
  if (!isText(clean) || !isText(corrupt)) return { dropped: 'a prompt is missing' };
  const shape = SHAPES.find(({ field }) => field === '' || field in row) as Shape;
  const [correct, incorrect] = shape.answers(row, counterfactual);
  if (correct === null || incorrect === null) return { dropped: 'an answer is missing' };
  return correct === incorrect
    ? { dropped: 'the counterfactual has the same answer' }
    : { clean, corrupt, correct, incorrect };
};

const SUFFIX = '_counterfactual';

export const mib: Importer = {
  key: 'mib',
  title: 'MIB rows: IOI, multiple choice, arithmetic, with a counterfactual each',
  reference: 'huggingface.co/mib-bench',
  recognises: (beginning) => beginning.includes(`${SUFFIX}"`) || beginning.includes(`${SUFFIX}.`),
  read: (text, { path, corrupt }) => {
    const rows = parseRows(text, path);
    const names = [...new Set(Object.keys(rows[0] ?? {}).map((key) => key.split('.')[0] ?? ''))].filter((key) =>
      key.endsWith(SUFFIX),
    );
    const name = corrupt ?? names[0];
    if (name === undefined || !names.includes(name)) {
      return refuse(
        'task/import',
        `${path}: ${name === undefined ? `no field ends in "${SUFFIX}"` : `there is no counterfactual "${name}"`}; expected one of ${names.join(', ') || `prompt, <name>${SUFFIX}`}`,
      );
    }
    return { metric: 'logit-difference', rows: rows.map((row) => pairOf(row, name)), note: `corrupt from ${name}` };
  },
};
