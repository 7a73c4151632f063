/** How numbers and texts are written in every view. */
import { printableLines } from '../printable.js';

/** Three significant digits, a proper minus sign, and a plus where the sign matters. */
export const number = (value: number, { signed = false }: { signed?: boolean } = {}): string => {
  if (!Number.isFinite(value)) return '–';
  const size = Number(Math.abs(value).toPrecision(3)); // rounded first: 0.9998 is 1.00
  const text = size !== 0 && (size >= 1e5 || size < 1e-4) ? size.toExponential(2) : trimmed(size);
  const sign = value < 0 ? '−' : signed && value > 0 ? '+' : '';
  return sign + text;
};

const trimmed = (size: number): string => {
  const digits = size === 0 ? 0 : Math.max(0, 2 - Math.floor(Math.log10(size)));
  return size.toFixed(Math.min(digits, 6));
};

/** As few digits as a number has: what somebody chose, such as a coefficient. */
export const asGiven = (value: number): string => `${value}`.replaceAll('-', '−');

export const orDash = (value: number | null, options?: { signed?: boolean }): string =>
  value === null ? '–' : number(value, options);

interface Spread {
  readonly mean: number;
  readonly low: number | null;
  readonly high: number | null;
  readonly count: number;
}

/** Every pair gave the same value, but for rounding: an interval over pairs has no width, and says nothing of other pairs. */
export const isOfOneValue = ({ mean, low, high }: Spread): boolean =>
  low !== null && high !== null && high - low <= 1e-6 * Math.abs(mean);

export const ofOneValue = ({ count }: Pick<Spread, 'count'>): string =>
  `the same for all ${whole(count)} pairs, so there is no interval`;

/** Thousands apart: 32,491. */
export const whole = (value: number): string => value.toLocaleString('en-US');

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Text made safe for XML and HTML, in content and in attributes. Control characters that XML forbids are replaced, others shown. */
export const escapeMarkup = (text: string): string =>
  // eslint-disable-next-line no-control-regex -- exactly the characters XML 1.0 does not allow
  printableLines(text.replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '\ufffd')).replace(
    /[&<>"']/g,
    (character) => ENTITIES[character]!,
  );

/** A cell: plain text, or a name to be set as code. */
export type Cell = string | { readonly code: string };

export interface Table {
  readonly title: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly Cell[])[];
  /** a sentence below the table */
  readonly note?: string;
}
