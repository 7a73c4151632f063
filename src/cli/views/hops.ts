/** The strongest hops as a tree in a table. */
import pc from 'picocolors';
import { number } from '../../report/format.js';
import type { HopRecord, HopsRecord } from '../../report/records/hops.js';
import { table } from './table.js';

const rowsOf = ({ path, effect, share, upstream }: HopRecord, depth: number): string[][] => [
  [
    `${'  '.repeat(depth)}${path}`,
    number(effect, { signed: true }),
    share === null ? '' : number(share, { signed: true }),
  ],
  ...upstream.flatMap((hop) => rowsOf(hop, depth + 1)),
];

/** @param written the files to name */
export const describeHops = (record: HopsRecord, written: readonly string[]): string => {
  const { task, model, asked, clean, corrupt, hops } = record;
  return [
    `${pc.bold(task.name)} on ${model.name}, ${task.pairs} pairs, ${asked.direction}: ${task.metric} ${number(clean)} clean, ${number(corrupt)} corrupt`,
    table(
      ['path', `change of ${task.metric}`, 'share'],
      hops.flatMap((hop) => rowsOf(hop, 0)),
    ),
    ...written.map((file) => `written: ${file}`),
  ].join('\n');
};
