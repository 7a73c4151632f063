/** Texts and tables in Markdown. */
import { printable } from '../../printable.js';
import type { Cell } from '../format.js';
import type { Table } from '../format.js';

/** Text from a task or model cannot start markup or leave its table cell. */
export const escapeMarkdown = (text: string): string =>
  printable(text.replace(/\s+/g, ' '))
    .replace(/[\\`*_{}[\]<>|#~]/g, '\\$&')
    .replace(/&/g, '&amp;');

/** A code span longer than any run of backticks inside; a pipe would end the cell even there. */
const span = (text: string): string => {
  const fence = '`'.repeat(1 + Math.max(0, ...[...text.matchAll(/`+/g)].map(([run]) => run.length)));
  const pad = fence.length > 1 ? ' ' : '';
  return `${fence}${pad}${printable(text.replace(/\s+/g, ' ')).replaceAll('|', '\\|')}${pad}${fence}`;
};

const cell = (content: Cell): string => (typeof content === 'string' ? escapeMarkdown(content) : span(content.code));

export const markdownTable = ({ title, columns, rows, note }: Table): string => {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const body = [
    line(columns.map(escapeMarkdown)),
    line(columns.map(() => '---')),
    ...rows.map((row) => line(row.map(cell))),
  ];
  return [`## ${title}`, body.join('\n'), ...(note === undefined ? [] : [escapeMarkdown(note)])].join('\n\n');
};
