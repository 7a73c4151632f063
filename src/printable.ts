/**
 * Names come from files of others: a task's, a folder's, a GGUF header's. Control characters in them would move a terminal's cursor, end
 * a line and begin a forged one, or set its title; bidirectional overrides show a text in another order than it has (Boucher & Anderson
 * 2021, "Trojan Source"). Both are shown for what they are, `\u001b`, which JSON reads as the same character.
 */

const escaped = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;

/** Controls (C0, DEL, C1), line and paragraph separators, marks that turn the direction of a text. */
const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g; // eslint-disable-line no-control-regex

/** A name on one line. */
export const printable = (name: string): string => name.replace(UNPRINTABLE, escaped);

/** A text of several lines, its tabs kept too. */
export const printableLines = (text: string): string =>
  text.replace(UNPRINTABLE, (character) => (/[\n\t]/.test(character) ? character : escaped(character)));

/** The colours that Thevenin itself puts into what it prints (select graphic rendition, one number). */
const COLOUR = /(\u001b\[\d{1,2}m)/; // eslint-disable-line no-control-regex

/** What goes to a terminal: lines, and colours where there are any. */
export const printableOutput = (text: string): string =>
  text
    .split(COLOUR)
    .map((part, i) => (i % 2 === 1 ? part : printableLines(part)))
    .join('');
