/** How good the circuit is, as tables: the evaluation, elimination, and whether the model does the task. */
import { asGiven, isOfOneValue, number, ofOneValue, orDash, whole, type Table } from '../format.js';
import type { CapabilityRecord, CriterionRecord, EvaluationRecord } from '../records/judgement.js';
import type { Estimate, ReportRecord } from '../records/report.js';

/** `3.41 [3.20, 3.62]` */
const interval = (estimate: Estimate): string => {
  const { mean, low, high } = estimate;
  if (low === null || high === null) return number(mean);
  return isOfOneValue(estimate)
    ? `${number(mean)} (${ofOneValue(estimate)})`
    : `${number(mean)} [${number(low)}, ${number(high)}]`;
};

/** What evaluations of circuits have in common, whichever record they are in. */
interface Judged {
  readonly evaluation: EvaluationRecord;
  readonly task: { readonly metric: string; readonly splits: { readonly whole: boolean } };
}

export const splitName = ({ evaluation, task }: Judged): string =>
  task.splits.whole
    ? 'every pair (nothing was held out)'
    : evaluation.split === 'report'
      ? 'the report split'
      : 'all pairs';

/** `0.923 [0.901, 0.941] (…)` */
const criterionInWords = ({ value, low, high, unit, counts, note }: CriterionRecord): string => {
  const figure = counts ? whole : number;
  const after = note === null ? '' : ` (${note})`;
  if (value === null) return `–${after}`;
  const interval = low === null || high === null ? '' : ` [${figure(low)}, ${figure(high)}]`;
  return `${figure(value)}${unit === '' ? '' : ` ${unit}`}${interval}${after}`;
};

/** What records of versions without criteria have of them. */
const criteriaOf = ({ criteria, faithfulness, random, clean }: EvaluationRecord): readonly CriterionRecord[] => {
  if (criteria) return criteria;
  const shares = random.faithfulness;
  const mean = shares.reduce((sum, share) => sum + share, 0) / shares.length;
  const best = Math.max(...shares);
  const among =
    shares.length === 0
      ? null
      : `random circuits: mean faithfulness ${number(mean)}, best ${number(best)} of ${shares.length}`;
  const one = { reference: '', unit: '', counts: false, low: null, high: null, count: clean.count, note: null };
  return [
    { ...one, key: 'faithfulness', title: 'faithfulness', value: faithfulness },
    {
      ...one,
      key: 'percentile',
      title: 'percentile among random circuits of its size',
      unit: '%',
      value: random.percentile,
      note: among,
    },
  ];
};

/** The metric of the model and of the circuit, then every criterion. */
export const evaluation = (record: Judged): Table => {
  const { clean, corrupt, circuit } = record.evaluation;
  return {
    title: 'Evaluation',
    columns: ['', 'value'],
    rows: [
      [`metric (${record.task.metric}), model on clean prompts`, interval(clean)],
      ['model on corrupt prompts', interval(corrupt)],
      ['circuit', interval(circuit)],
      ...criteriaOf(record.evaluation).map((criterion) => [criterion.title, criterionInWords(criterion)]),
    ],
    note:
      `On ${splitName(record)}, ${whole(clean.count)} pairs; brackets are 95 % intervals over pairs. ` +
      'Faithfulness = (circuit − corrupt) / (clean − corrupt): 0 is the corrupt run, 1 the whole model.',
  };
};

/** What elimination came to, or how far from its target it was left. */
export const minimal = ({ minimal: found }: ReportRecord): Table[] =>
  found === null
    ? []
    : [
        {
          title: found.met ? 'Minimal circuit' : 'No minimal circuit: the target was not reached',
          columns: ['', 'value'],
          rows: [
            ['target', found.target],
            ['reached', `${found.met ? 'yes' : 'no'}: ${orDash(found.distance)}`],
            [
              'edges',
              found.met
                ? `${whole(found.edgeCount)}, before ${whole(found.from.edgeCount)}`
                : `${whole(found.edgeCount)}, none removed`,
            ],
            [
              'faithfulness',
              found.met
                ? `${orDash(found.faithfulness)}, before ${orDash(found.from.faithfulness)}`
                : orDash(found.faithfulness),
            ],
            ['circuits measured', whole(found.evaluations)],
          ],
          note: found.met
            ? `By backward elimination with exact effects, on the choose split; faithfulness is that of the report split. The circuit drawn and listed here is the minimal one.`
            : 'Backward elimination takes edges out of a circuit that meets its target; this one does not, so that it stands as it was chosen. Ask for more edges (--edges) or for less (--minimal).',
        },
      ];

export const eliminated = ({ minimal: found }: ReportRecord): string => {
  if (found === null) return '';
  return found.met
    ? `, minimal: eliminated from ${whole(found.from.edgeCount)} edges`
    : `; elimination did not reach its target (${found.target})`;
};

/** Whether the model does the task, and how well. */
export const capabilityRows = (
  { clean, corrupt, gap, accuracy, rank, doesTask, faults = [] }: CapabilityRecord,
  { forced }: Pick<ReportRecord['settings'], 'forced'>,
): Table['rows'] => [
  ['clean, all pairs of the check', interval(clean)],
  ['corrupt', interval(corrupt)],
  ['clean − corrupt', interval(gap)],
  ...(accuracy ? [['pairs that the model gets right', share(accuracy)]] : []),
  ...(rank
    ? [['rank of the answer among all tokens', `median ${asGiven(rank.median)}, worst ${asGiven(rank.worst)}`]]
    : []),
  ['the model does the task', doesTask ? 'yes' : forced ? 'no (forced)' : 'no'],
  ...faults.map((fault) => ['', fault]),
];

/** `87.5 % [63.1 %, 96.5 %]` */
const share = ({ mean, low, high }: Estimate): string => {
  const percent = (x: number): string => `${number(100 * x)} %`;
  return low === null || high === null ? percent(mean) : `${percent(mean)} [${percent(low)}, ${percent(high)}]`;
};
