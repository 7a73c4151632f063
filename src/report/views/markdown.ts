/** report.md: the report as text for a repository or an issue. */
import { circuitTable, circumstances, findings, headline } from '../tables.js';
import type { Cell, Table } from '../tables.js';
import type { View } from '../view.js';

/** Text from a task or model cannot start markup or leave its table cell. */
const escape = (text: string): string =>
  text
    .replace(/\s+/g, ' ')
    .replace(/[\\`*_{}[\]<>|#~]/g, '\\$&')
    .replace(/&/g, '&amp;');

/** A code span longer than any run of backticks inside; a pipe would end the cell even there. */
const span = (text: string): string => {
  const fence = '`'.repeat(1 + Math.max(0, ...[...text.matchAll(/`+/g)].map(([run]) => run.length)));
  const pad = fence.length > 1 ? ' ' : '';
  return `${fence}${pad}${text.replace(/\s+/g, ' ').replaceAll('|', '\\|')}${pad}${fence}`;
};

const cell = (content: Cell): string => (typeof content === 'string' ? escape(content) : span(content.code));

const table = ({ title, columns, rows, note }: Table): string => {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const body = [line(columns.map(escape)), line(columns.map(() => '---')), ...rows.map((row) => line(row.map(cell)))];
  return [`## ${title}`, body.join('\n'), ...(note === undefined ? [] : [escape(note)])].join('\n\n');
};

export const markdown: View = {
  key: 'markdown',
  title: 'the report as text',
  files: ['report.md'],
  render: ({ record }) => ({
    file: 'report.md',
    content: `${[
      `# ${escape(record.task.name)} in ${escape(record.model.name)}`,
      escape(headline(record)),
      '![The circuit](circuit.svg)',
      ...[...findings(record), circuitTable(record), ...circumstances(record)].map(table),
    ].join('\n\n')}\n`,
  }),
};
