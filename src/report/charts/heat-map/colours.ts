/**
 * A diverging scale that colour-blind readers can tell apart: vermilion below 0, near white at 0, blue above (the two hues of
 * Okabe & Ito 2008, each from light to dark in even steps of lightness).
 */
const BELOW = ['#f7f7f7', '#fbdcc7', '#f3b18a', '#e37f47', '#c4550f', '#8a3500'];
const ABOVE = ['#f7f7f7', '#d0e3f1', '#97c1e1', '#559ccd', '#1673b0', '#0a4577'];

type Rgb = readonly [number, number, number];

const eachChannel = (of: (channel: 0 | 1 | 2) => number): Rgb => [of(0), of(1), of(2)];

const parse = (hex: string): Rgb => eachChannel((i) => parseInt(hex.slice(1 + 2 * i, 3 + 2 * i), 16));

/** @param share −1 … 1 */
function rgbAt(share: number): Rgb {
  const stops = share < 0 ? BELOW : ABOVE;
  const place = Math.min(1, Math.abs(share)) * (stops.length - 1);
  const below = Math.min(stops.length - 2, Math.floor(place));
  const [from, to] = [parse(stops[below] as string), parse(stops[below + 1] as string)];
  return eachChannel((i) => Math.round(from[i] + (place - below) * (to[i] - from[i])));
}

/** The colour of a value as `#rrggbb`, symmetric about 0; white where nothing on the scale differs from 0. */
export const colourAt = (value: number, limit: number): string =>
  `#${rgbAt(limit === 0 ? 0 : value / limit)
    .map((channel) => channel.toString(16).padStart(2, '0'))
    .join('')}`;

const DARK = '#1f2328';
const LIGHT = '#ffffff';

/** Relative luminance (WCAG 2). */
const luminance = (rgb: Rgb): number => {
  const [r, g, b] = rgb.map((channel) => {
    const share = channel / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};

/** WCAG 2's contrast of two colours, 1 … 21. */
export const contrast = (a: string, b: string): number => {
  const [light, dark] = [luminance(parse(a)), luminance(parse(b))].sort((x, y) => y - x) as [number, number];
  return (light + 0.05) / (dark + 0.05);
};

/** Dark or white ink, whichever has the greater contrast to the colour of a value. */
export function inkOn(value: number, limit: number): string {
  const ground = colourAt(value, limit);
  return contrast(DARK, ground) >= contrast(LIGHT, ground) ? DARK : LIGHT;
}
