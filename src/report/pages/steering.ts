/** steering.html: doses, tokens and continuations on one self-contained page: no script, nothing loaded, light and dark. */
import { asGiven, escapeMarkup, number, orDash, whole } from '../format.js';
import { drawResponses } from '../charts/steering.js';
import { lengthOf, type DoseRecord, type ShiftRecord, type SteeringRecord } from '../records/steering.js';
import { foldedPairs } from './html-table.js';
import { STYLE } from './style.js';

const OWN_STYLE = `
.text { white-space: pre-wrap; } td.text { font: .9rem/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
.shifts td { width: 50%; } details.dose { margin-top: .5rem; } .shifts b { font-weight: 600; } .up { color: var(--helps); } .down { color: var(--hurts); }
`;

const tile = (value: string, label: string): string =>
  `<div class="tile"><b>${escapeMarkup(value)}</b><span>${escapeMarkup(label)}</span></div>`;

const signed = (value: number): string => number(value, { signed: true });

const table = (head: readonly string[], rows: readonly string[], kind = ''): string =>
  `<div class="scroll"><table${kind === '' ? '' : ` class="${kind}"`}><thead><tr>${head.map((name) => `<th>${escapeMarkup(name)}</th>`).join('')}</tr></thead><tbody>${rows.join('\n')}</tbody></table></div>`;

const figure = (content: string): string => `<td class="figure">${content}</td>`;

type Estimate = SteeringRecord['clean'];

const interval = ({ low, high }: Estimate): string => (low === null ? '–' : `${number(low)} … ${orDash(high)}`);

function doseRow(dose: DoseRecord, several: boolean): string {
  const { place, coefficient, metric, change, divergence, correct, incorrect } = dose;
  return `<tr>${several ? `<td>${escapeMarkup(place)}</td>` : ''}${[
    asGiven(coefficient),
    number(metric.mean),
    interval(metric),
    signed(change.mean),
    orDash(correct?.mean ?? null),
    orDash(incorrect?.mean ?? null),
    number(divergence.mean),
  ]
    .map(figure)
    .join('')}</tr>`;
}

/** Folded where there are many: the picture says it first. */
function dosesTable({ doses, task, steered }: SteeringRecord): string {
  const several = steered.places.length > 1;
  const head = ['coefficient', task.metric, '95 % interval', 'change', 'log p correct', 'log p incorrect', 'KL, nats'];
  const rows = doses.map((dose) => doseRow(dose, several));
  const all = table([...(several ? ['place'] : []), ...head], rows);
  return several ? `<details class="dose"><summary>every dose (${whole(rows.length)})</summary>${all}</details>` : all;
}

const visible = (text: string): string => text.replaceAll('\n', '⏎').replaceAll('\t', '⇥');

const tokenName = ({ text, id }: ShiftRecord): string => (text === null ? `⟨${id}⟩` : JSON.stringify(visible(text)));

const shiftLine = (shift: ShiftRecord): string =>
  `${escapeMarkup(tokenName(shift))} <b class="${shift.after > shift.before ? 'up' : 'down'}">${signed(shift.after - shift.before)}</b> <span class="note">${number(shift.before)} → ${number(shift.after)}</span>`;

/** The tokens that a dose moves most, one table for each that moves any. */
function shiftsOf({ doses, steered }: SteeringRecord): string[] {
  return doses
    .filter(({ rises, falls }) => rises.length + falls.length > 0)
    .map(({ place, coefficient, rises, falls }) => {
      const rows = Array.from({ length: Math.max(rises.length, falls.length) }, (_, i) => {
        const cells = [rises[i], falls[i]].map((shift) => `<td>${shift === undefined ? '' : shiftLine(shift)}</td>`);
        return `<tr>${cells.join('')}</tr>`;
      });
      const where = steered.places.length > 1 ? `, ${place}` : '';
      return `<details class="dose"><summary>coefficient ${asGiven(coefficient)}${escapeMarkup(where)}</summary>${table(['rises most', 'falls most'], rows, 'shifts')}</details>`;
    });
}

function continuationsOf({ continuations, sampling, divergences }: SteeringRecord): string[] {
  if (sampling === null) return [];
  const { temperature, topK, topP, seed } = sampling;
  const cut = [...(topK === null ? [] : [`top ${topK}`]), ...(topP === null ? [] : [`top p ${topP}`])];
  const how = [`temperature ${asGiven(temperature)}`, ...cut, `seed ${seed}`].join(', ');
  const mean = divergences.map(
    ({ coefficient, divergence }) => `${number(divergence.mean)} at ${asGiven(coefficient)}`,
  );
  const blocks = continuations.map(({ pair, sample, prompt, written }) => {
    const rows = written.map(
      ({ coefficient, text, ids, divergence }) =>
        `<tr>${figure(coefficient === 0 ? 'unsteered' : asGiven(coefficient))}<td class="text">${escapeMarkup(text ?? ids.join(' '))}</td>${figure(coefficient === 0 ? '' : number(divergence))}</tr>`,
    );
    const name = pair === null ? 'prompt' : `pair ${pair}`;
    const which = sampling.samples > 1 ? `, sample ${sample + 1}` : '';
    return `<h3>${name}${which}</h3><p class="text">${escapeMarkup(prompt)}</p>${table(['coefficient', 'continuation', 'KL a token'], rows)}`;
  });
  return [
    `<h2>Continuations</h2><p class="note">From the same random numbers, so that what differs is the model: ${escapeMarkup(how)}. Mean KL(steered ‖ unsteered) of a next token, in nats: ${escapeMarkup(mean.join(', '))}.</p>`,
    ...blocks,
  ];
}

const SOURCES: Readonly<Record<SteeringRecord['vector']['source'], string>> = {
  'prompt-pair': 'one prompt less another',
  'prompt-sets': 'the mean of one set of prompts less that of another',
  task: 'the mean of clean prompts less that of corrupt ones, of pairs that are not among those steered',
};

const AT: Readonly<Record<string, string>> = {
  front: 'from the first token on, a row for each',
  all: 'every token, also those that are written',
  after: 'the last token of the prompt and all that is written after it',
  each: 'one token at a time',
};

function vectorSection({ vector, steered }: SteeringRecord): string {
  const { site, source, plus, minus, read, rows } = vector;
  const source_ = source === 'task' && steered.split === 'all' ? 'the mean of clean prompts less that of corrupt ones' : SOURCES[source]; // prettier-ignore
  const entries: readonly (readonly [string, string])[] = [
    ['vector', `${source_}, read at ${read}`],
    ['plus', `${whole(plus.prompts)}: ${plus.first.map((text) => JSON.stringify(text)).join(', ')}${plus.prompts > plus.first.length ? ' …' : ''}`],
    ['minus', `${whole(minus.prompts)}: ${minus.first.map((text) => JSON.stringify(text)).join(', ')}${minus.prompts > minus.first.length ? ' …' : ''}`],
    ['site', `${site}, ${whole(rows)} ${rows === 1 ? 'row' : 'rows'}, ${lengthOf(vector)}`],
    ['added at', AT[steered.at] ?? steered.at],
  ]; // prettier-ignore
  return `<h2>The vector</h2><div class="scroll"><table><tbody>${entries.map(([name, value]) => `<tr><th scope="row">${name}</th><td>${escapeMarkup(value)}</td></tr>`).join('\n')}</tbody></table></div>`;
}

/** Same record, same bytes. */
export function steeringPage(record: SteeringRecord): string {
  const { task, model, versions, vector, steered, unsteered } = record;
  const title = `${task.name} in ${model.name}: steering at ${vector.site}`;
  const shifts = shiftsOf(record);
  return [
    '<!doctype html>',
    '<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">',
    `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">`,
    `<title>${escapeMarkup(title)}</title><style>${STYLE}${OWN_STYLE}</style></head><body>`,
    `<header><h1>${escapeMarkup(title)}</h1><p>A vector is added at one place, times a coefficient, and everything after it is recomputed.</p><p class="note">${escapeMarkup(`${versions.runtime}, Thevenin ${versions.thevenin}`)}</p></header>`,
    `<div class="tiles">${[
      tile(number(unsteered.metric.mean), `${task.metric}, unsteered`),
      tile(number(record.clean.mean), `${task.metric}, clean`),
      tile(number(record.corrupt.mean), `${task.metric}, corrupt`),
      tile(whole(task.pairs), `${steered.prompts} prompts${steered.split === 'report' ? ', of the report split' : ''}`),
    ].join('')}</div>`,
    ...drawResponses(record).map(({ content }) => `<figure class="circuit">${content as string}</figure>`),
    `<h2>Doses</h2>${dosesTable(record)}`,
    ...(shifts.length === 0 ? [] : ['<h2>Next tokens that move most</h2>', ...shifts]),
    ...continuationsOf(record),
    vectorSection(record),
    ...foldedPairs(record.pairs),
    '</body></html>\n',
  ].join('\n');
}
