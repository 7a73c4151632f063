/** report.md: the report as text for a repository or an issue. */
import { circuitTable, circumstances, findings, headline } from './tables.js';
import { escapeMarkdown, markdownTable } from './markdown.js';
import { pairsTable } from '../records/pairs.js';
import type { ReportRecord } from '../records/report.js';
import type { View } from '../view.js';

const text = (record: ReportRecord): string => {
  const pairs = record.pairs === undefined ? [] : [pairsTable(record.pairs)];
  return `${[
    `# ${escapeMarkdown(record.task.name)} in ${escapeMarkdown(record.model.name)}`,
    escapeMarkdown(headline(record)),
    '![The circuit](circuit.svg)',
    ...[...findings(record), circuitTable(record), ...pairs, ...circumstances(record)].map(markdownTable),
  ].join('\n\n')}\n`;
};

export const markdown: View<ReportRecord> = {
  key: 'markdown',
  title: 'the report as text',
  render: ({ record }) => [{ file: 'report.md', content: text(record) }],
};
