/** What both kinds of pictures are made of. Styles are attributes, coordinates tenths of a pixel. */
import { escapeMarkup } from '../../src/report/format.js';

export type Point = readonly [number, number];
export const INK = '#1f2328';
export const FAINT = '#6e7781';
const FONT = 'font-family="Helvetica, Arial, sans-serif" text-anchor="middle"';

export const px = (value: number): string => `${Math.round(value * 10) / 10 + 0}`;
/** Two decimals at most, a real minus, no −0. */
export const number = (value: number): string => `${Math.round(value * 100) / 100 + 0}`.replace('-', '−');

interface TextStyle {
  readonly size?: number;
  readonly anchor?: 'start' | 'middle' | 'end';
  readonly fill?: string;
  readonly weight?: 'normal' | 'bold';
  /** degrees, about where the text stands */
  readonly turn?: number;
}

export function text(content: string, [x, y]: Point, style: TextStyle = {}): string {
  const { size = 12, anchor = 'middle', fill = INK, weight = 'normal', turn = 0 } = style;
  const other = [
    ...(anchor === 'middle' ? [] : [`text-anchor="${anchor}"`]),
    ...(weight === 'normal' ? [] : [`font-weight="${weight}"`]),
  ];
  const turned = turn === 0 ? '' : ` transform="rotate(${turn} ${px(x)} ${px(y)})"`;
  const place = `x="${px(x)}" y="${px(y)}" font-size="${size}" fill="${fill}"`;
  return `<text ${[place, ...other].join(' ')}${turned}>${escapeMarkup(content)}</text>`;
}

/** A number on a line, on a paper of its own. */
export function label(content: string, [x, y]: Point, fill: string): string {
  const width = 6.4 * content.length + 5;
  return (
    `<rect x="${px(x - width / 2)}" y="${px(y - 7.5)}" width="${px(width)}" height="15" rx="4" fill="#ffffff" opacity="0.92"/>` +
    text(content, [x, y + 4], { size: 12, fill, weight: 'bold' })
  );
}

/** A triangle at the end of a line, pointing the way it arrives. */
export function arrowHead(
  [x0, y0]: Point,
  [x, y]: Point,
  { length, half, colour }: { length: number; half: number; colour: string },
): string {
  const way = Math.hypot(x - x0, y - y0) || 1;
  const [ux, uy] = [(x - x0) / way, (y - y0) / way];
  const corners: Point[] = [
    [x + ux * length, y + uy * length],
    [x - uy * half, y + ux * half],
    [x + uy * half, y - ux * half],
  ];
  return `<path d="M${corners.map((corner) => corner.map(px).join(' ')).join('L')}Z" fill="${colour}"/>`;
}

export const svg = (
  title: string,
  { width, height }: { width: number; height: number },
  content: readonly string[],
): string =>
  [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${px(width)} ${px(height)}" width="${px(width)}" height="${px(height)}" ${FONT} role="img" aria-label="${escapeMarkup(title)}">`,
    `<rect width="${px(width)}" height="${px(height)}" fill="#ffffff"/>`,
    ...content,
    '</svg>\n',
  ].join('\n');
