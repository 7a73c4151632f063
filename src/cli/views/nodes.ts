/** A record of attribution to nodes as the lines that a terminal shows. */
import pc from 'picocolors';
import { number } from '../../report/format.js';
import { agreementSentence, measuredTable, type NodesRecord, type SiteRecord } from '../../report/records/nodes.js';
import { table } from './table.js';

const SHOWN = 10;

const linesOf = (record: NodesRecord, site: SiteRecord): string[] => {
  const { columns, rows } = measuredTable(record, site);
  const shown = rows.slice(0, SHOWN).map((cells) => cells.slice(0, 4).map(String));
  const head = [`${site.site}: ${columns[0]}`, ...columns.slice(1, 4)];
  return ['', ...(shown.length === 0 ? [] : [table(head, shown)]), agreementSentence(site)];
};

/** @param written the files to name, most telling first */
export const describeNodes = (record: NodesRecord, written: readonly string[]): string => {
  const { task, model, method, clean, corrupt, memory } = record;
  return [
    `${pc.bold(task.name)} on ${model.name}, ${task.pairs} pairs, ${method.title} of ${memory.cells} nodes: ${task.metric} ${number(clean.mean)} clean, ${number(corrupt.mean)} corrupt`,
    ...record.sites.flatMap((site) => linesOf(record, site)),
    ...(memory.kept ? [] : ['', 'estimates of every pair were not kept: they would not fit the memory']),
    ...(written.length === 0 ? [] : ['', `written: ${written[0]} and ${written.length - 1} more`]),
  ].join('\n');
};
