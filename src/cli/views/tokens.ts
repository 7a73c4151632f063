/** A record of attribution to tokens as the lines that a terminal shows. */
import pc from 'picocolors';
import { number, orDash } from '../../report/format.js';
import { BASELINE_MEANING, type PromptRecord, type TokensRecord } from '../../report/records/tokens.js';
import { table } from './table.js';

const signed = (value: number): string => number(value, { signed: true });

const meansTable = ({ rows, by }: TokensRecord): string[] =>
  rows.length === 0
    ? []
    : [
        table(
          [by, 'mean', '95 % interval', 'pairs'],
          rows.map(({ name, mean, low, high, count }) => [
            name,
            signed(mean),
            low === null ? '–' : `${signed(low)} … ${orDash(high, { signed: true })}`,
            `${count}`,
          ]),
        ),
      ];

/** The units of one prompt, each with its text. */
function promptTable({ index, tokens, units }: PromptRecord): string {
  const text = (positions: readonly number[]): string =>
    positions
      .map((position) => tokens[position])
      .map((token) => (token === undefined ? '' : (token.text ?? `${token.id} `)))
      .join('');
  return table(
    [`pair ${index}`, 'text', 'value'],
    units.map(({ name, positions, value }) => [name, JSON.stringify(text(positions)), signed(value)]),
  );
}

/** @param written the files to name, most telling first */
export const describeTokens = (record: TokensRecord, written: readonly string[]): string => {
  const { task, model, method, baseline, clean, atBaseline, gap, prompts } = record;
  const [first] = prompts;
  return [
    `${pc.bold(task.name)} on ${model.name}, ${task.pairs} pairs, ${method.title}: ${task.metric} ${number(clean.mean)} clean, ${number(atBaseline.mean)} with ${BASELINE_MEANING[baseline]}`,
    ...(gap === null ? [] : [`every prompt’s values add up to its change, within ${number(gap)}`]),
    ...meansTable(record),
    ...(first === undefined ? [] : ['', promptTable(first)]),
    ...(written.length === 0 ? [] : ['', `written: ${written[0]} and ${written.length - 1} more`]),
  ].join('\n');
};
