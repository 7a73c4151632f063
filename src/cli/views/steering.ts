/** A record of steering as the lines that a terminal shows. */
import pc from 'picocolors';
import { asGiven, number, orDash } from '../../report/format.js';
import {
  lengthOf,
  type ContinuationRecord,
  type DoseRecord,
  type ShiftRecord,
  type SteeringRecord,
} from '../../report/records/steering.js';
import { table } from './table.js';

/** Doses named where there are many. */
const STRONGEST = 10;

const signed = (value: number): string => number(value, { signed: true });

const doseRow = ({ place, coefficient, metric, change, correct, incorrect, divergence }: DoseRecord): string[] => [
  place,
  asGiven(coefficient),
  number(metric.mean),
  metric.low === null ? '–' : `${number(metric.low)} … ${orDash(metric.high)}`,
  signed(change.mean),
  orDash(correct?.mean ?? null),
  orDash(incorrect?.mean ?? null),
  number(divergence.mean),
];

const tokens = (shifts: readonly ShiftRecord[]): string =>
  shifts
    .slice(0, 5)
    .map(({ text, id, before, after }) => `${text === null ? id : JSON.stringify(text)} ${signed(after - before)}`)
    .join(', ');

function shiftsTable({ doses, coefficients }: SteeringRecord): string[] {
  const strongest = doses.filter(({ coefficient }) => [Math.min(...coefficients), Math.max(...coefficients)].includes(coefficient)); // prettier-ignore
  const rows = strongest
    .filter(({ rises, falls }) => rises.length + falls.length > 0)
    .map(({ coefficient, rises, falls }) => [asGiven(coefficient), tokens(rises), tokens(falls)]);
  return rows.length === 0 || rows.length > 2 ? [] : ['', table(['coefficient', 'rises most', 'falls most'], rows)];
}

const continuationTable = ({ prompt, written }: ContinuationRecord): string[] => [
  '',
  prompt,
  table(
    ['coefficient', 'goes on', 'KL a token'],
    written.map(({ coefficient, text, ids, divergence }) =>
      coefficient === 0
        ? ['unsteered', JSON.stringify(text ?? ids.join(' ')), '']
        : [asGiven(coefficient), JSON.stringify(text ?? ids.join(' ')), number(divergence)],
    ),
  ),
];

/** Of several places the doses that change the metric most. */
function shownDoses({ doses, steered }: SteeringRecord): readonly DoseRecord[] {
  if (steered.places.length === 1) return doses;
  return [...doses].sort((a, b) => Math.abs(b.change.mean) - Math.abs(a.change.mean)).slice(0, STRONGEST);
}

/** @param written the files to name, most telling first */
export const describeSteering = (record: SteeringRecord, written: readonly string[]): string => {
  const { task, model, vector, steered, unsteered, continuations } = record;
  const head = [
    'place',
    'coefficient',
    task.metric,
    '95 % interval',
    'change',
    'log p correct',
    'log p incorrect',
    'KL',
  ];
  return [
    `${pc.bold(task.name)} on ${model.name}, ${task.pairs} ${steered.prompts} prompts steered at ${vector.site}: ${task.metric} ${number(unsteered.metric.mean)} unsteered, ${number(record.clean.mean)} clean, ${number(record.corrupt.mean)} corrupt`,
    `vector: ${lengthOf(vector)}`,
    table(head, shownDoses(record).map(doseRow)),
    ...shiftsTable(record),
    ...continuations.flatMap(continuationTable),
    ...(written.length === 0 ? [] : ['', `written: ${written[0]} and ${written.length - 1} more`]),
  ].join('\n');
};
