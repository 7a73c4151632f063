/** evaluation.html and evaluation.md: what every criterion makes of a circuit. */
import { escapeMarkup, orDash, whole, type Table } from '../format.js';
import type { CircuitEvaluationRecord } from '../records/evaluation.js';
import { folded, htmlTable } from './html-table.js';
import { capabilityRows, evaluation } from './judgement.js';
import { escapeMarkdown, markdownTable } from './markdown.js';
import { STYLE } from './style.js';

const heading = ({ circuit, task, model }: CircuitEvaluationRecord): string =>
  `${circuit.name}: evaluated on ${task.name} in ${model.name}`;

const circumstances = (record: CircuitEvaluationRecord): Table => {
  const { circuit, task, settings, capability, versions, model } = record;
  return {
    title: 'Circumstances',
    columns: ['', 'value'],
    rows: [
      ['circuit', `${circuit.kind}: ${whole(circuit.edges.length)} of ${whole(circuit.graphEdges)} edges`],
      [
        'pairs',
        `${whole(task.splits.report)} of ${whole(task.pairs)}${task.splits.whole ? ', none held out' : ''} (seed ${task.splits.seed})`,
      ],
      ['cut edges read', settings.ablation],
      ...capabilityRows(capability, settings),
      ['task SHA-256', { code: task.sha256 }],
      ['weights SHA-256', { code: model.weightsSha256 }],
      ['Thevenin', `${versions.thevenin}, Node ${versions.node}, ${versions.runtime}`],
    ],
  };
};

const edges = ({ circuit }: CircuitEvaluationRecord): Table => ({
  title: 'The circuit',
  columns: ['edge'],
  rows: circuit.edges.map((name) => [{ code: name }]),
});

const references = ({ evaluation: { criteria = [] } }: CircuitEvaluationRecord): Table => ({
  title: 'Criteria',
  columns: ['criterion', 'reference'],
  rows: criteria.map(({ title, reference }) => [title, reference]),
});

const section = (content: Table): string =>
  `<section><h2>${escapeMarkup(content.title)}</h2>${htmlTable(content)}</section>`;

const tile = (value: string, label: string): string =>
  `<div class="tile"><b>${escapeMarkup(value)}</b><span>${escapeMarkup(label)}</span></div>`;

/** Same record, same bytes. */
export const evaluationMarkdown = (record: CircuitEvaluationRecord): string =>
  `${[
    `# ${escapeMarkdown(heading(record))}`,
    ...[evaluation(record), circumstances(record), references(record), edges(record)].map(markdownTable),
  ].join('\n\n')}\n`;

/** Self-contained: no script, nothing loaded, light and dark. Same record, same bytes. */
export function evaluationPage(record: CircuitEvaluationRecord): string {
  const title = escapeMarkup(heading(record));
  const { faithfulness, random } = record.evaluation;
  return [
    '<!doctype html>',
    '<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">',
    `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">`,
    `<title>${title}</title><style>${STYLE}</style></head><body>`,
    `<header><h1>${title}</h1></header>`,
    `<div class="tiles">${[
      tile(whole(record.circuit.edges.length), `of ${whole(record.circuit.graphEdges)} edges`),
      tile(orDash(faithfulness), 'faithfulness'),
      tile(random.percentile === null ? '–' : `${orDash(random.percentile)} %`, 'percentile among random circuits'),
    ].join('')}</div>`,
    ...[evaluation(record), circumstances(record), references(record)].map(section),
    folded(edges(record)),
    '</body></html>\n',
  ].join('\n');
}
