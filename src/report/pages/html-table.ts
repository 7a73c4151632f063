/** Tables in a page. */
import { escapeMarkup, whole, type Cell, type Table } from '../format.js';
import { pairsTable, type PairsRecord } from '../records/pairs.js';

const cell = (content: Cell): string =>
  typeof content === 'string' ? escapeMarkup(content) : `<code>${escapeMarkup(content.code)}</code>`;

/** Numbers stand at the right, so that digits can be compared. */
const isFigure = (content: Cell): boolean =>
  typeof content === 'string' && /^[+−–[]?[\d.]*(e[+-]\d+)?( |$|\]|,)/.test(content);

export const htmlTable = ({ columns, rows, note }: Table): string => {
  const named = columns[0] !== '';
  const head = named
    ? `<thead><tr>${columns.map((name) => `<th>${escapeMarkup(name)}</th>`).join('')}</tr></thead>`
    : '';
  const body = rows.map((row) => {
    const cells = row.map((content, i) => {
      if (!named && i === 0) return `<th scope="row">${cell(content)}</th>`;
      return `<td${named && isFigure(content) ? ' class="figure"' : ''}>${cell(content)}</td>`;
    });
    return `<tr>${cells.join('')}</tr>`;
  });
  const below = note === undefined ? '' : `<p class="note">${escapeMarkup(note)}</p>`;
  return `<div class="scroll"><table>${head}<tbody>${body.join('\n')}</tbody></table></div>${below}`;
};

/** Opened by whoever wants to see it. */
export const folded = (content: Table): string =>
  `<details><summary>${escapeMarkup(content.title)} (${whole(content.rows.length)})</summary>${htmlTable(content)}</details>`;

/** The pairs of a run, folded; nothing where its record has none. */
export const foldedPairs = (pairs: PairsRecord | undefined): string[] =>
  pairs === undefined ? [] : [folded(pairsTable(pairs))];
