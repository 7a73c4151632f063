/** report.html: one self-contained page: no script, nothing loaded from anywhere, light and dark. */
import { escapeMarkup, number, orDash, whole, type Table } from '../format.js';
import type { ReportRecord } from '../records/report.js';
import { circuitTable, circumstances, findings, headline } from './tables.js';
import { folded, foldedPairs, htmlTable } from './html-table.js';
import type { View } from '../view.js';
import { STYLE } from './style.js';
import { drawSvg } from '../charts/circuit.js';

const section = (content: Table): string =>
  `<section><h2>${escapeMarkup(content.title)}</h2>${htmlTable(content)}</section>`;

const tile = (value: string, label: string): string =>
  `<div class="tile"><b>${escapeMarkup(value)}</b><span>${escapeMarkup(label)}</span></div>`;

const tiles = ({ circuit, graph, evaluation }: ReportRecord): string => {
  const { percentile } = evaluation.random;
  return [
    tile(whole(circuit.edgeCount), `of ${whole(graph.edges)} edges`),
    tile(whole(circuit.nodes.filter((name) => name.startsWith('a')).length), 'heads'),
    tile(orDash(evaluation.faithfulness), 'faithfulness'),
    tile(percentile === null ? '–' : `${number(percentile)} %`, 'percentile among random circuits'),
  ].join('');
};

/** Random circuits' faithfulness as dots on a line, the circuit's as a mark. */
const strip = ({ evaluation }: ReportRecord): string => {
  const { faithfulness, random } = evaluation;
  if (faithfulness === null || random.faithfulness.length === 0) return '';
  const all = [0, 1, faithfulness, ...random.faithfulness];
  const [low, high] = [Math.min(...all), Math.max(...all)];
  const x = (value: number): string => (50 + (860 * (value - low)) / (high - low)).toFixed(1);
  const tick = (value: number, label: string): string =>
    `<path class="axis" d="M${x(value)} 24v8"/><text x="${x(value)}" y="46">${label}</text>`;
  const dots = random.faithfulness.map((value) => `<circle class="dot" cx="${x(value)}" cy="28" r="4"/>`);
  const mark = `<path class="mark" d="M${x(faithfulness)} 14v28"/><text class="strong" x="${x(faithfulness)}" y="10">circuit</text>`;
  return (
    '<figure class="strip"><svg viewBox="0 0 960 52" role="img" aria-label="faithfulness of random circuits and of the circuit">' +
    `<path class="axis" d="M50 28h860"/>${tick(0, '0 corrupt')}${tick(1, '1 model')}${dots.join('')}${mark}</svg>` +
    `<figcaption>Faithfulness of ${random.faithfulness.length} random circuits of ${whole(random.edgeCount)} edges (dots) and of the circuit.</figcaption></figure>`
  );
};

const page = (record: ReportRecord): string => {
  const title = `${record.task.name} in ${record.model.name}`;
  const [evaluation, ...others] = findings(record);
  const approximate = `${record.settings.method.title}, ${record.versions.runtime.key} runtime, Thevenin ${record.versions.thevenin}`;
  return [
    '<!doctype html>',
    '<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">',
    `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">`,
    `<title>${escapeMarkup(title)}</title><style>${STYLE}</style></head><body>`,
    `<header><h1>${escapeMarkup(title)}</h1><p>${escapeMarkup(headline(record))}</p><p class="note">${escapeMarkup(approximate)}</p></header>`,
    `<div class="tiles">${tiles(record)}</div>`,
    `<figure class="circuit">${drawSvg(record)}</figure>`,
    `<section><h2>${escapeMarkup(evaluation!.title)}</h2>${strip(record)}${htmlTable(evaluation!)}</section>`,
    ...others.map(section),
    folded(circuitTable(record)),
    ...foldedPairs(record.pairs),
    ...circumstances(record).map(section),
    '</body></html>\n',
  ].join('\n');
};

export const html: View<ReportRecord> = {
  key: 'html',
  title: 'the report as a self-contained page',
  render: ({ record }) => [{ file: 'report.html', content: page(record) }],
};
