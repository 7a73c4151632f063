/** scrubbing.html and scrubbing.md: the hypothesis drawn, what of the metric it recovers, and each claim alone. */
import { escapeMarkup, number, orDash, whole } from '../format.js';
import { drawHypothesis } from '../charts/scrubbing.js';
import { claimInWords, type RecoveredShare, type ScrubbingRecord } from '../records/scrubbing.js';
import { foldedPairs } from './html-table.js';
import { STYLE } from './style.js';

const percent = (share: number): string => `${number(100 * share)} %`;

const intervalOf = (share: RecoveredShare): string =>
  share === null || share.low === null || share.high === null
    ? ''
    : ` (${percent(share.low)} … ${percent(share.high)})`;

/** A share with its interval. */
export const shareInWords = (share: RecoveredShare): string =>
  share === null ? '–' : percent(share.value) + intervalOf(share);

const meaning = ({ settings, task }: ScrubbingRecord): string =>
  `Every activation that the hypothesis says does not matter, or matters only by a feature of the prompt, is taken from other prompts, ${settings.draws} times for each prompt; what is left of ${task.metric} is what the hypothesis explains. ${
    settings.unimportant === 'shared'
      ? 'Inputs of a node that do not matter come from one random prompt.'
      : 'Each input that does not matter comes from a random prompt of its own.'
  }`;

const leftOutInWords = ({ task, pools }: ScrubbingRecord): string =>
  `${task.pairs - task.leftOut} of ${task.pairs} prompts, in ${pools.length} ${pools.length === 1 ? 'pool' : 'pools'} of one length and layout; ${task.leftOut} left out because no other is alike`;

interface Row {
  readonly node: string;
  readonly at: string;
  readonly claim: string;
  readonly recovered: string;
  readonly metric: string;
  readonly tested: string;
}

const rowsOf = ({ claims, hypothesis }: ScrubbingRecord): Row[] =>
  claims.map(({ node, kind, recovered, metric, tested }) => {
    const own = hypothesis.nodes.find(({ name }) => name === node)!;
    return {
      ...{ node, at: own.at, claim: claimInWords(own, kind), recovered: shareInWords(recovered) },
      ...{ metric: number(metric.mean), tested: whole(tested) },
    };
  });

const HEAD = ['node', 'at', 'claim, scrubbed alone', 'recovered', 'metric', 'prompts tested'] as const;

const markdownCell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ');

/** Same record, same bytes. */
export function scrubbingMarkdown(record: ScrubbingRecord): string {
  const { hypothesis, task, model, clean, random, scrubbed, versions, cost } = record;
  const row = (cells: readonly string[]): string => `| ${cells.map(markdownCell).join(' | ')} |`;
  const interval = ({ low, high }: typeof clean): string => `${orDash(low)} … ${orDash(high)}`;
  return [
    `# ${hypothesis.name}: ${task.name} in ${model.name}`,
    '',
    ...(hypothesis.title === '' ? [] : [hypothesis.title, '']),
    `**Recovered: ${shareInWords(record.recovered)}** of ${task.metric}. ${meaning(record)}`,
    '',
    row([task.metric, 'mean', '95 % interval']),
    row(['---', '--:', '---']),
    row(['clean', number(clean.mean), interval(clean)]),
    row(['scrubbed', number(scrubbed.mean), interval(scrubbed)]),
    row(['random prompts', number(random.mean), interval(random)]),
    '',
    `${leftOutInWords(record)}.`,
    '',
    row(HEAD),
    row(['---', '---', '---', '--:', '--:', '--:']),
    ...rowsOf(record).map((one) => row(Object.values(one))),
    '',
    ...hypothesis.nodes.flatMap(({ name, claim }) => (claim === null ? [] : [`- ${name}: ${claim}`])),
    '',
    `Cost: ${number(cost.forwardPasses)} forward passes over each prompt. ${versions.runtime}, Thevenin ${versions.thevenin}.`,
    '',
  ].join('\n');
}

const tile = (value: string, label: string): string =>
  `<div class="tile"><b>${escapeMarkup(value)}</b><span>${escapeMarkup(label)}</span></div>`;

function claimsTable(record: ScrubbingRecord): string {
  const rows = rowsOf(record).map((one) => {
    const { node, at, claim, ...figures } = one;
    const cells = [node, claim].map((text) => `<td>${escapeMarkup(text)}</td>`);
    const numbers = Object.values(figures).map((text) => `<td class="figure">${escapeMarkup(text)}</td>`);
    return `<tr>${cells[0]!}<td class="figure"><code>${escapeMarkup(at)}</code></td>${cells[1]!}${numbers.join('')}</tr>`;
  });
  return `<div class="scroll"><table><thead><tr>${HEAD.map((name) => `<th>${name}</th>`).join('')}</tr></thead><tbody>${rows.join('\n')}</tbody></table></div>`;
}

/** Self-contained: no script, nothing loaded, light and dark. Same record, same bytes. */
export function scrubbingPage(record: ScrubbingRecord): string {
  const { hypothesis, task, model, clean, random, scrubbed, recovered, versions } = record;
  const title = `${hypothesis.name}: ${task.name} in ${model.name}`;
  const claims = hypothesis.nodes.flatMap(({ name, claim }) =>
    claim === null ? [] : [`<li><b>${escapeMarkup(name)}</b>: ${escapeMarkup(claim)}</li>`],
  );
  return [
    '<!doctype html>',
    '<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">',
    `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">`,
    `<title>${escapeMarkup(title)}</title><style>${STYLE}</style></head><body>`,
    `<header><h1>${escapeMarkup(title)}</h1><p>${escapeMarkup(hypothesis.title)}</p><p class="note">${escapeMarkup(meaning(record))}</p><p class="note">${escapeMarkup(`${leftOutInWords(record)}; ${versions.runtime}, Thevenin ${versions.thevenin}`)}</p></header>`,
    `<div class="tiles">${[
      tile(recovered === null ? '–' : percent(recovered.value), `recovered${intervalOf(recovered)}`),
      tile(number(clean.mean), `${task.metric}, clean`),
      tile(number(scrubbed.mean), 'scrubbed'),
      tile(number(random.mean), 'random prompts'),
    ].join('')}</div>`,
    `<figure class="circuit">${drawHypothesis(record)}<figcaption>Each claim scrubbed alone: the share of the metric that is left. White: all of it; dark: nothing.</figcaption></figure>`,
    '<h2>Claims, each scrubbed alone</h2>',
    claimsTable(record),
    ...(claims.length === 0 ? [] : [`<h2>In words</h2><ul>${claims.join('\n')}</ul>`]),
    ...foldedPairs(record.pairs),
    '</body></html>\n',
  ].join('\n');
}
