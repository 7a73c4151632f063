/** patching.html: every grid of a record on one self-contained page: no script, nothing loaded from anywhere, light and dark. */
import { escapeMarkup, number, whole } from '../format.js';
import { drawHeatMap, type HeatMapOptions } from '../charts/heat-map/svg.js';
import { cellName, shown, shownName, strongestCells } from '../records/patching.js';
import type { GridRecord, PatchingKind, PatchingRecord } from '../records/patching.js';
import { foldedPairs } from './html-table.js';
import { STYLE } from './style.js';

const STRONGEST = 8;

const tile = (value: string, label: string): string =>
  `<div class="tile"><b>${escapeMarkup(value)}</b><span>${escapeMarkup(label)}</span></div>`;

const strongest = (record: PatchingRecord, grid: GridRecord): string => {
  const values = shown(record, grid);
  const rows = strongestCells(values, STRONGEST).map(
    (cell) =>
      `<tr><td>${escapeMarkup(cellName(grid.axes, cell))}</td><td class="figure">${number(values[cell] as number, { signed: true })}</td><td class="figure">${number(grid.mean[cell] as number)}</td></tr>`,
  );
  const head = ['place', shownName(record), record.task.metric]
    .map((name) => `<th>${escapeMarkup(name)}</th>`)
    .join('');
  return `<details><summary>strongest cells</summary><div class="scroll"><table><thead><tr>${head}</tr></thead><tbody>${rows.join('\n')}</tbody></table></div></details>`;
};

interface PageOptions extends HeatMapOptions {
  /** a second picture of a grid */
  readonly beside?: (grid: GridRecord) => string;
}

const figure = (picture: string): string => `<figure class="circuit">${picture}</figure>`;

const section = (record: PatchingRecord, grid: GridRecord, options: PageOptions): string =>
  `<section aria-label="${escapeMarkup(grid.title)}">${figure(drawHeatMap(record, grid, options))}${options.beside === undefined ? '' : figure(options.beside(grid))}${strongest(record, grid)}</section>`;

/** What was done, in words. */
const DONE: Readonly<Record<PatchingKind, Readonly<Record<PatchingRecord['direction'], string>>>> = {
  'activation-patching': {
    denoising: 'One activation at a time takes its clean value in the corrupt run.',
    noising: 'One activation at a time takes its corrupt value in the clean run.',
  },
  'path-patching': {
    denoising: 'Along the paths from sender to receiver alone, clean values travel in the corrupt run.',
    noising: 'Along the paths from sender to receiver alone, corrupt values travel in the clean run.',
  },
  'causal-tracing': {
    denoising: 'With noise on the subject’s embeddings, clean values are restored at one token.',
    noising: 'At one token, values take those of a run with noise on the subject’s embeddings.',
  },
  'attention-knockout': {
    denoising: 'In the corrupt run, queries of these heads do not look at the keys named.',
    noising: 'In the clean run, queries of these heads do not look at the keys named.',
  },
};

const meaning = ({ kind, direction, undefinedBecause }: PatchingRecord): string => {
  if (undefinedBecause !== null) return `Cells show the change of the metric: ${undefinedBecause}.`;
  const share = direction === 'denoising' ? 'that comes back' : 'that is lost';
  return `${DONE[kind][direction]} Cells show the share of the metric ${share}: 0 nothing, 1 all of it.`;
};

/** Same record, same bytes. */
export function patchingPage(record: PatchingRecord, options: PageOptions): string {
  const title = `${record.task.name} in ${record.model.name}: ${record.kind.replace('-', ' ')}`;
  const made = `${record.versions.runtime}, Thevenin ${record.versions.thevenin}`;
  return [
    '<!doctype html>',
    '<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">',
    `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">`,
    `<title>${escapeMarkup(title)}</title><style>${STYLE}</style></head><body>`,
    `<header><h1>${escapeMarkup(title)}</h1><p>${escapeMarkup(meaning(record))}</p><p class="note">${escapeMarkup(made)}</p></header>`,
    `<div class="tiles">${[
      tile(number(record.clean), `${record.task.metric}, clean`),
      tile(number(record.corrupt), `${record.task.metric}, corrupt`),
      tile(whole(record.task.pairs), 'pairs'),
      tile(record.direction, 'direction'),
    ].join('')}</div>`,
    ...record.grids.map((grid) => section(record, grid, options)),
    ...foldedPairs(record.pairs),
    '</body></html>\n',
  ].join('\n');
}
