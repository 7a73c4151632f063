/** A record of causal scrubbing as the lines that a terminal shows. */
import pc from 'picocolors';
import { number } from '../../report/format.js';
import { shareInWords } from '../../report/pages/scrubbing.js';
import { claimInWords, type ScrubbingRecord } from '../../report/records/scrubbing.js';
import { table } from './table.js';

/** @param written the files to name, most telling first */
export const describeScrubbing = (record: ScrubbingRecord, written: readonly string[]): string => {
  const { task, model, hypothesis, recovered, clean, random, scrubbed, settings, claims, cost } = record;
  const used = task.pairs - task.leftOut;
  return [
    `${pc.bold(hypothesis.name)} on ${model.name}, ${used} of ${task.pairs} prompts of ${task.name}, ${settings.draws} draws: ${pc.bold(shareInWords(recovered))} recovered`,
    `${task.metric} ${number(clean.mean)} clean, ${number(scrubbed.mean)} scrubbed, ${number(random.mean)} on random prompts; ${number(cost.forwardPasses)} forward passes over each prompt`,
    ...(task.leftOut === 0 ? [] : [`${task.leftOut} prompts left out: no other has their length and layout`]),
    table(
      ['node', 'claim, scrubbed alone', 'recovered', 'prompts'],
      claims.map(({ node, kind, recovered: share, tested }) => [
        node,
        claimInWords(
          hypothesis.nodes.find(({ name }) => name === node)!,
          kind,
        ),
        shareInWords(share),
        `${tested}`,
      ]),
    ),
    ...(written.length === 0 ? [] : ['', `written: ${written[0]} and ${written.length - 1} more`]),
  ].join('\n');
};
