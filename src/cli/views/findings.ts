/** A report record as the few lines that a terminal shows. */
import pc from 'picocolors';
import { fixed } from '../../fixed.js';
import { isOfOneValue, ofOneValue } from '../../report/format.js';
import type { Estimate, ReportEdge, ReportRecord } from '../../report/records/report.js';

const LABEL_WIDTH = 26;
const STRONGEST = 5;

const line = (label: string, text: string): string => `  ${label.padEnd(LABEL_WIDTH)}${text}`;

const figure = (x: number | null): string => (x === null ? '–' : fixed(x, Math.abs(x) < 0.1 ? 4 : 2));
const signed = (x: number): string => `${figure(x).startsWith('-') ? '' : '+'}${figure(x)}`;

/** `3.41 [3.20, 3.62]` */
const withInterval = (estimate: Estimate): string => {
  const { mean, low, high } = estimate;
  if (low === null || high === null) return figure(mean);
  return isOfOneValue(estimate)
    ? `${figure(mean)} (${ofOneValue(estimate)})`
    : `${figure(mean)} [${figure(low)}, ${figure(high)}]`;
};

const opening = ({ task, model, graph: { shape } }: ReportRecord): string => {
  const { discover, choose, report, whole } = task.splits;
  const splits = whole
    ? 'every pair used for everything'
    : `${discover} discover · ${choose} choose · ${report} report`;
  return `${pc.bold(task.name)} on ${model.name} (${shape.nLayers} layers × ${shape.nHeads} heads), ${task.pairs} pairs: ${splits}`;
};

const capability = ({ capability: found, task }: ReportRecord): string[] => {
  const { doesTask, clean, corrupt, accuracy, rank, faults = [] } = found;
  const right = accuracy ? [`right in ${(100 * accuracy.mean).toFixed(0)} % of pairs`] : [];
  const place = rank ? [`the answer's rank ${rank.median} (median)`] : [];
  const values = `${task.metric} ${withInterval(clean)} clean, ${withInterval(corrupt)} corrupt`;
  return [
    line(
      doesTask ? 'the model does the task' : pc.red('the model fails the task'),
      [values, ...right, ...place].join(', '),
    ),
    ...faults.map((fault) => line('', pc.red(fault))),
  ];
};

const minimal = ({ minimal: found }: ReportRecord): string[] => {
  if (!found) return [];
  const { met, target, distance, from, edgeCount, faithfulness } = found;
  const where = `${figure(distance)} there`;
  return [
    met
      ? line(
          'minimal',
          `${edgeCount} edges left of ${from.edgeCount}: ${target} (${where}); faithful ${figure(faithfulness)}, before ${figure(from.faithfulness)}`,
        )
      : line(pc.red('not minimal'), `the target was not reached: ${target} asked, ${where}; no edge was removed`),
  ];
};

const nothing = (chosen: number, edges: number): string => {
  const why = chosen === 0 ? 'none was chosen' : `${chosen} chosen, none on a way from the input to the logits`;
  return `empty: no edge of ${edges} (${why}), so that there is nothing to judge; choose more`;
};

const circuit = ({ circuit: { edgeCount, chosen, nodes }, graph, evaluation }: ReportRecord): string => {
  const heads = nodes.filter((node) => node.startsWith('a')).length;
  const { faithfulness, random, split } = evaluation;
  const mean = random.faithfulness.reduce((sum, f) => sum + f, 0) / random.faithfulness.length;
  if (edgeCount === 0) return line(pc.red('circuit'), nothing(chosen, graph.edges));
  const where = split === 'report' ? 'on the report split' : 'on all pairs';
  const chance = random.faithfulness.length === 0 ? '' : ` (random circuits of that size: ${figure(mean)})`;
  return line(
    'circuit',
    `${edgeCount} of ${graph.edges} edges (${chosen} chosen), ${heads} heads, faithful ${figure(faithfulness)} ${where}${chance}`,
  );
};

const strongEdge = ({ name, exact, score }: Pick<ReportEdge, 'name' | 'exact' | 'score'>, method: string): string =>
  `${name.padEnd(24)} ${exact === null ? '' : `exact ${signed(exact)}  `}${method} ${signed(score)}`;

const strong = (label: string, edges: NonNullable<ReportRecord['neurons']>['top'], method: string): string[] =>
  edges.slice(0, STRONGEST).map((edge, i) => line(i === 0 ? label : '', strongEdge(edge, method)));

const missed = ({ missed: found }: ReportRecord): string[] => {
  if (!found) return [];
  const { among, confidence, samples, bound } = found;
  const what = bound === null ? 'unknown: too few subsets' : `no |effect| above ${figure(bound)}`;
  const how = `with confidence ${confidence}, from ${samples} random subsets`;
  return [line('not measured', `${among} edges, ${what} ${bound === null ? '' : `(${how})`}`.trimEnd())];
};

/** @param written the report's files, most telling first */
export const describeFindings = (record: ReportRecord, written: readonly string[]): string => {
  const { title } = record.settings.method;
  const strongest = record.topEdges.filter(({ inCircuit }) => inCircuit).slice(0, STRONGEST);
  return [
    opening(record),
    ...capability(record),
    circuit(record),
    ...minimal(record),
    ...strongest.map((edge, i) => line(i === 0 ? 'strongest edges' : '', strongEdge(edge, title))),
    ...strong(`by ${record.resolved?.places ?? ''}`, record.resolved?.top ?? [], title),
    ...strong('of neurons', record.neurons?.top ?? [], title),
    ...missed(record),
    ...written.slice(0, 1).map((file) => line('written', `${file} and ${written.length - 1} files beside it`)),
  ].join('\n');
};
