/** nodes.html and nodes.md: estimates of every node drawn, exact effects beside them; no script, nothing loaded, light and dark. */
import { escapeMarkup, number, whole } from '../format.js';
import { drawMap } from '../charts/heat-map/svg.js';
import { escapeMarkdown, markdownTable } from './markdown.js';
import {
  agreementSentence,
  capital,
  measuredTable,
  type MeasuredNode,
  type NodesRecord,
  type SiteRecord,
} from '../records/nodes.js';
import { foldedPairs } from './html-table.js';
import { STYLE } from './style.js';

/** One site's estimates. Same record, same bytes. */
export function drawNodes({ task, model, method }: NodesRecord, site: SiteRecord): string {
  const exact = new Map(site.measured.map((one) => [one.cell, one.exact.mean]));
  const note = (cell: number): string => {
    const effect = exact.get(cell);
    return effect === undefined ? '' : ` (exact ${number(effect, { signed: true })})`;
  };
  const subtitle = `${task.name} · ${model.name} · ${task.pairs} pairs · ${method.title}`;
  return drawMap({ title: site.title, subtitle, axes: site.axes, values: site.mean, valueName: 'estimate', note });
}

const SIZE = 280;
const MARGIN = 46;

/** Estimates across, exact effects upward, on one scale; on the diagonal the estimate is right. */
function drawAgreement({ measured }: SiteRecord): string {
  const limit = measured.reduce((most, { estimate, exact }) => Math.max(most, Math.abs(estimate), Math.abs(exact.mean)), 0); // prettier-ignore
  if (limit === 0) return '';
  const place = (value: number): number => (SIZE / 2) * (1 + value / limit);
  const at = ({ estimate, exact }: MeasuredNode): string =>
    `cx="${(MARGIN + place(estimate)).toFixed(1)}" cy="${(10 + SIZE - place(exact.mean)).toFixed(1)}"`;
  const dots = measured.map(
    (one) =>
      `<circle ${at(one)} r="3.5" fill="${one.why === 'random' ? '#e37f47' : '#1673b0'}" fill-opacity="0.75"><title>${escapeMarkup(`${one.name}: estimate ${number(one.estimate, { signed: true })}, exact ${number(one.exact.mean, { signed: true })} (${one.why})`)}</title></circle>`,
  );
  const label = (x: number, y: number, content: string, anchor = 'middle'): string =>
    `<text class="faint" x="${x}" y="${y}" font-family="Helvetica, Arial, sans-serif" font-size="11" fill="#59636e" text-anchor="${anchor}">${content}</text>`;
  const [middle, right, bottom] = [MARGIN + SIZE / 2, MARGIN + SIZE, 10 + SIZE];
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${right + 20} ${bottom + 40}" width="${right + 20}" height="${bottom + 40}" role="img" aria-label="exact effects against estimates">`,
    `<path d="M${MARGIN} ${bottom}L${right} 10M${middle} 10V${bottom}M${MARGIN} ${10 + SIZE / 2}H${right}" stroke="#59636e" stroke-width="0.7" stroke-dasharray="3 3" fill="none"/>`,
    ...dots,
    label(middle, bottom + 32, 'estimate'),
    label(MARGIN, bottom + 15, number(-limit, { signed: true })),
    label(right, bottom + 15, number(limit, { signed: true })),
    label(MARGIN - 6, 18, number(limit, { signed: true }), 'end'),
    label(MARGIN - 6, bottom - 4, 'exact', 'end'),
    '</svg>',
  ].join('\n');
}

const tile = (value: string, name: string): string =>
  `<div class="tile"><b>${escapeMarkup(value)}</b><span>${escapeMarkup(name)}</span></div>`;

function section(record: NodesRecord, site: SiteRecord): string {
  const { title, columns, rows } = measuredTable(record, site);
  const head = columns.map((name) => `<th>${escapeMarkup(name)}</th>`).join('');
  const body = rows.map((cells) => {
    const drawn = cells.map((cell, i) => `<td${i > 0 && i < 4 ? ' class="figure"' : ''}>${escapeMarkup(cell as string)}</td>`); // prettier-ignore
    return `<tr>${drawn.join('')}</tr>`;
  });
  const table = `<div class="scroll"><table><thead><tr>${head}</tr></thead><tbody>${body.join('\n')}</tbody></table></div>`;
  const exact =
    rows.length === 0
      ? ''
      : `<figure>${drawAgreement(site)}</figure><details open><summary>exact effects beside estimates</summary>${table}</details>`;
  return `<section aria-label="${escapeMarkup(title)}"><figure class="circuit">${drawNodes(record, site)}</figure><p>${escapeMarkup(agreementSentence(site))}</p>${exact}</section>`;
}

const titleOf = ({ task, model }: NodesRecord): string => `${task.name} in ${model.name}: what the nodes are worth`;

const meaning = ({ method, task }: NodesRecord): string =>
  `${capital(method.title)}: what ${task.metric} loses, to first order, when a node of the clean run takes its value of the corrupt prompt. Positive: it helps the task. Exact effects are measured by doing so.`;

/** Same record, same bytes. */
export function nodesPage(record: NodesRecord): string {
  const { task, method, versions } = record;
  return [
    '<!doctype html>',
    '<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">',
    `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">`,
    `<title>${escapeMarkup(titleOf(record))}</title><style>${STYLE}</style></head><body>`,
    `<header><h1>${escapeMarkup(titleOf(record))}</h1><p>${escapeMarkup(meaning(record))}</p><p class="note">${escapeMarkup(`${method.reference}; ${versions.runtime}, Thevenin ${versions.thevenin}`)}</p></header>`,
    `<div class="tiles">${[
      tile(number(record.clean.mean), `${task.metric}, clean`),
      tile(number(record.corrupt.mean), `${task.metric}, corrupt`),
      tile(whole(task.pairs), 'pairs'),
      tile(whole(record.memory.cells), 'nodes'),
    ].join('')}</div>`,
    ...record.sites.map((site) => section(record, site)),
    ...foldedPairs(record.pairs),
    '</body></html>\n',
  ].join('\n');
}

/** The same as text, for a repository or an issue. */
export const nodesText = (record: NodesRecord): string =>
  `${[
    `# ${escapeMarkdown(titleOf(record))}`,
    escapeMarkdown(`${meaning(record)} ${record.method.reference}.`),
    ...record.sites.flatMap((site) => [`![${escapeMarkdown(site.title)}](${site.site}.svg)`, markdownTable(measuredTable(record, site))]), // prettier-ignore
  ].join('\n\n')}\n`;
