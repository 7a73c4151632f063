/** tokens.html: prompts with every token coloured by what it contributes, self-contained: no script, nothing loaded, light and dark. */
import { escapeMarkup, number, orDash, whole } from '../format.js';
import { colourAt, inkOn } from '../charts/heat-map/colours.js';
import {
  BASELINE_MEANING,
  type PromptRecord,
  type TokenRecord,
  type TokensRecord,
  type UnitRecord,
} from '../records/tokens.js';
import { STYLE } from './style.js';

/** Prompts drawn; all are in the record. */
const DRAWN = 40;

const OWN_STYLE = `
.prompt { margin: 0 0 1.1rem; padding: .7rem .9rem .8rem; border: 1px solid var(--line); border-radius: .6rem; }
.prompt p { line-height: 2.1; overflow-wrap: anywhere; }
.token { padding: .22rem .1rem; border-radius: .2rem; white-space: pre-wrap; font: .95rem ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
.token + .token { margin-left: 2px; } .changed { text-decoration: underline dotted; text-underline-offset: .25rem; }
.key { display: flex; align-items: center; gap: .6rem; margin: 1rem 0 1.4rem; color: var(--faint); font-size: .86rem; font-variant-numeric: tabular-nums; }
.key i { display: inline-block; width: 14rem; height: .8rem; border-radius: .2rem; border: 1px solid var(--line); }
.bar { display: inline-block; height: .7rem; border-radius: .1rem; vertical-align: middle; } .bar.helps { background: var(--helps); } .bar.hurts { background: var(--hurts); }
td.half { width: 22%; padding-right: 0; } td.left { text-align: right; border-right: 1px solid var(--faint); } td.right { border-left: 0; }
`;

const tile = (value: string, label: string): string =>
  `<div class="tile"><b>${escapeMarkup(value)}</b><span>${escapeMarkup(label)}</span></div>`;

/** White space that would not be seen is written out. */
const visible = (text: string): string => text.replaceAll('\n', '⏎').replaceAll('\t', '⇥');

const textOf = ({ text, id }: TokenRecord): string => (text === null || text === '' ? `⟨${id}⟩` : visible(text));

const signed = (value: number): string => number(value, { signed: true });

/** Coloured by its own value or its span's; tokens that no span names stay as they are. */
function tokenSpan(
  token: TokenRecord,
  unit: UnitRecord | null,
  { limit, place }: { limit: number; place: string },
): string {
  const instead = token.instead === null ? '' : `, replaced by ${JSON.stringify(token.instead)}`;
  const said = escapeMarkup(`${place}${unit === null ? '' : `: ${signed(unit.value)}`}${instead}`);
  const colours =
    unit === null || unit.rest
      ? ''
      : ` style="background:${colourAt(unit.value, limit)};color:${inkOn(unit.value, limit)}"`;
  return `<span class="token${instead === '' ? '' : ' changed'}"${colours} title="${said}">${escapeMarkup(textOf(token))}</span>`;
}

/** A token in several spans has the colour of the first of them. */
function promptBlock(prompt: PromptRecord, { task, limit }: { task: string; limit: number }): string {
  const drawn = prompt.tokens.map((token, position) => {
    const unit = prompt.units.find(({ positions }) => positions.includes(position));
    const name = unit === undefined || unit.name === `${position}` ? '' : `, ${unit.name}`;
    return tokenSpan(token, unit ?? null, { limit, place: `position ${position}${name}` });
  });
  const rest = prompt.units.filter((unit) => unit.rest).map(({ name, value }) => `; ${name} ${signed(value)}`);
  const note = `pair ${prompt.index}: ${task} ${number(prompt.clean)}, at the baseline ${number(prompt.baseline)}${rest.join('')}`;
  return `<div class="prompt"><p>${drawn.join('')}</p><span class="note">${escapeMarkup(note)}</span></div>`;
}

const key = (limit: number): string => {
  const stops = [-1, -0.8, -0.6, -0.4, -0.2, 0, 0.2, 0.4, 0.6, 0.8, 1].map((share) => colourAt(share, 1));
  return `<div class="key"><span>hurts ${signed(-limit)}</span><i style="background:linear-gradient(to right,${stops.join(',')})"></i><span>${signed(limit)} helps</span></div>`;
};

/** One row of the table, with a bar to the left of the middle where it hurts, to the right where it helps. */
function row({ name, mean, low, high, count }: TokensRecord['rows'][number], limit: number): string {
  const width = limit === 0 ? 0 : Math.round((94 * Math.abs(mean)) / limit);
  const bar = (kind: string): string => `<span class="bar ${kind}" style="width:${width}%"></span>`;
  const interval = low === null ? '–' : `${orDash(low, { signed: true })} … ${orDash(high, { signed: true })}`;
  return `<tr><td>${escapeMarkup(name)}</td><td class="half left">${mean < 0 ? bar('hurts') : ''}</td><td class="half right">${mean > 0 ? bar('helps') : ''}</td><td class="figure">${signed(mean)}</td><td class="figure">${interval}</td><td class="figure">${whole(count)}</td></tr>`;
}

function rowsTable({ rows, by, task }: TokensRecord): string {
  if (rows.length === 0) return '';
  const limit = Math.max(...rows.map(({ mean }) => Math.abs(mean)));
  const head = ['<th colspan="2"></th>', ...['mean', '95 % interval', 'pairs'].map((name) => `<th>${name}</th>`)];
  return `<h2>By ${by}</h2><p class="note">${escapeMarkup(`${task.metric}, means over pairs`)}</p><div class="scroll"><table><thead><tr><th>${by}</th>${head.join('')}</tr></thead><tbody>${rows.map((one) => row(one, limit)).join('\n')}</tbody></table></div>`;
}

const meaning = ({ baseline, method, task }: TokensRecord): string =>
  `${method.title}: what the tokens of the clean prompts contribute to ${task.metric}, as against ${BASELINE_MEANING[baseline]} in their place. Positive: they help the task.`;

/** Same record, same bytes. */
export function tokensPage(record: TokensRecord): string {
  const { task, model, versions, method, gap, prompts } = record;
  const title = `${task.name} in ${model.name}: what the tokens contribute`;
  const drawn = prompts.slice(0, DRAWN);
  const limit = Math.max(
    0,
    ...drawn.flatMap(({ units }) => units.map(({ value, rest }) => (rest ? 0 : Math.abs(value)))),
  );
  const count = drawn.length < prompts.length ? `The first ${drawn.length} of ${prompts.length}` : `${prompts.length}`;
  return [
    '<!doctype html>',
    '<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">',
    `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">`,
    `<title>${escapeMarkup(title)}</title><style>${STYLE}${OWN_STYLE}</style></head><body>`,
    `<header><h1>${escapeMarkup(title)}</h1><p>${escapeMarkup(meaning(record))}</p><p class="note">${escapeMarkup(`${method.reference}; ${versions.runtime}, Thevenin ${versions.thevenin}`)}</p></header>`,
    `<div class="tiles">${[
      tile(number(record.clean.mean), `${task.metric}, clean`),
      tile(number(record.atBaseline.mean), `${task.metric}, baseline in every place`),
      tile(whole(task.pairs), 'pairs'),
      ...(gap === null ? [] : [tile(number(gap), 'at most, between the sum of a prompt’s values and its change')]),
    ].join('')}</div>`,
    rowsTable(record),
    `<h2>By prompt</h2><p class="note">${escapeMarkup(count)} prompts, one scale for all.${record.baseline === 'corrupt' ? ' Dotted underlines: the corrupt prompt has another token there.' : ''}</p>`,
    key(limit),
    ...drawn.map((prompt) => promptBlock(prompt, { task: task.metric, limit })),
    '</body></html>\n',
  ].join('\n');
}
