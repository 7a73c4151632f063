/** Text and colours that pictures share. All styles are attributes; the classes let a page restyle them for dark screens. */
import { escapeMarkup } from '../format.js';

export const INK = '#1f2328';
export const FAINT = '#59636e';
const LABEL_SIZE = 11;
/** average width of a character at that size */
export const CHARACTER = 6;
const FONT = 'font-family="Helvetica, Arial, sans-serif"';

/** Tenths of a pixel; never −0. */
export const px = (value: number): string => `${Math.round(value * 10) / 10 + 0}`;

interface TextStyle {
  readonly size?: number;
  readonly anchor?: 'start' | 'middle' | 'end';
  readonly fill?: string;
  readonly weight?: string;
  readonly turn?: boolean;
  /** stands on a colour of its own: pages leave its colour as it is; default false */
  readonly fixed?: boolean;
}

export function text(content: string, [x, y]: readonly [number, number], style: TextStyle = {}): string {
  const { size = LABEL_SIZE, anchor = 'middle', fill = INK, weight = 'normal', turn = false, fixed = false } = style;
  const named = fixed ? '' : fill === INK ? ' class="ink"' : fill === FAINT ? ' class="faint"' : '';
  const turned = turn ? ` transform="rotate(-90 ${px(x)} ${px(y)})"` : '';
  return `<text${named} x="${px(x)}" y="${px(y)}" ${FONT} font-size="${size}" font-weight="${weight}" text-anchor="${anchor}" fill="${fill}"${turned}>${escapeMarkup(content)}</text>`;
}

/** A picture with its title and, in small, what it is of. */
export const picture = (
  { title, subtitle, width, height }: { title: string; subtitle: string; width: number; height: number },
  content: readonly string[],
): string =>
  [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${px(width)} ${px(height)}" width="${px(width)}" height="${px(height)}" role="img" aria-label="${escapeMarkup(`${title}: ${subtitle}`)}">`,
    `<rect class="paper" width="${px(width)}" height="${px(height)}" fill="#ffffff"/>`,
    text(title, [16, 24], { size: 14, anchor: 'start', weight: 'bold' }),
    text(subtitle, [16, 42], { anchor: 'start', fill: FAINT }),
    ...content,
    '</svg>\n',
  ].join('\n');
