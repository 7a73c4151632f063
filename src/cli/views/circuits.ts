/** Evaluations and comparisons of circuits as the lines that a terminal shows. */
import pc from 'picocolors';
import { number, orDash } from '../../report/format.js';
import { capabilityRows, evaluation } from '../../report/pages/judgement.js';
import type { CircuitEvaluationRecord } from '../../report/records/evaluation.js';
import type { Comparison } from '../../jobs/circuits/compare.js';
import { table } from './table.js';

/** @param written the files, most telling first */
export const describeEvaluation = (record: CircuitEvaluationRecord, written: readonly string[]): string => {
  const { circuit, task, model, capability, settings } = record;
  const found = evaluation(record);
  const rows = [...capabilityRows(capability, settings), ...found.rows].map((row) =>
    row.map((cell) => (typeof cell === 'string' ? cell : cell.code)),
  );
  return [
    `${pc.bold(circuit.name)} (${circuit.kind}) on ${task.name} in ${model.name}`,
    table(['criterion', 'value'], rows),
    found.note ?? '',
    ...(written.length === 0 ? [] : [`written: ${written[0]} and ${written.length - 1} more`]),
  ].join('\n');
};

export const describeComparison = ({ circuits, overlaps, auroc }: Comparison): string =>
  [
    ...circuits.map(
      ({ name, kind, edges, nodes }, i) =>
        `${pc.bold(['A', 'B'][i] ?? '')}  ${name} (${kind}): ${edges} edges, ${nodes} nodes`,
    ),
    '',
    table(
      ['', 'in both', 'only in A', 'only in B', 'Jaccard', 'of the smaller'],
      overlaps.map(({ granularity, both, onlyFirst, onlySecond, jaccard, overlap }) => [
        granularity,
        ...[both, onlyFirst, onlySecond].map(String),
        orDash(jaccard),
        orDash(overlap),
      ]),
    ),
    ...auroc.map(
      ({ scores, against, value }) =>
        `AUROC of |scores| of ${scores} against the edges of ${against}: ${value === null ? '–' : number(value)}`,
    ),
  ].join('\n');
