/** The loss curve: its numbers, and a small picture of them. */

/** [step, mean loss over the steps since the last point] */
export type Curve = readonly (readonly [step: number, loss: number])[];

/** Means over `points` stretches of equal length. */
export function summarise(losses: readonly number[], points: number): Curve {
  const length = Math.max(1, Math.ceil(losses.length / points));
  const curve: [number, number][] = [];
  for (let start = 0; start < losses.length; start += length) {
    const stretch = losses.slice(start, start + length);
    const mean = stretch.reduce((a, b) => a + b, 0) / stretch.length;
    curve.push([start + stretch.length, Number(mean.toFixed(4))]);
  }
  return curve;
}

const PICTURE = { width: 480, height: 240, left: 44, right: 12, top: 24, bottom: 30 } as const;

/** Nats per token over steps, from 0 up. */
export function curveSvg(title: string, curve: Curve): string {
  const { width, height, left, right, top, bottom } = PICTURE;
  const steps = curve.at(-1)?.[0] ?? 1;
  const highest = Math.ceil(Math.max(...curve.map(([, loss]) => loss)));
  const x = (step: number): number => left + ((width - left - right) * step) / steps;
  const y = (loss: number): number => height - bottom - ((height - top - bottom) * loss) / highest;
  const points = curve.map(([step, loss]) => `${x(step).toFixed(1)},${y(loss).toFixed(1)}`).join(' ');
  const ticks = Array.from({ length: highest + 1 }, (_, loss) => [
    `<line x1="${left}" x2="${width - right}" y1="${y(loss).toFixed(1)}" y2="${y(loss).toFixed(1)}" stroke="#ddd"/>`,
    `<text x="${left - 6}" y="${(y(loss) + 4).toFixed(1)}" text-anchor="end">${loss}</text>`,
  ]).flat();
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" font-family="sans-serif" font-size="11">`,
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    `<text x="${left}" y="15">${title}: nats per token</text>`,
    ...ticks,
    `<text x="${left}" y="${height - 10}">step 1</text>`,
    `<text x="${width - right}" y="${height - 10}" text-anchor="end">${steps}</text>`,
    `<polyline points="${points}" fill="none" stroke="#0072b2" stroke-width="1.5"/>`,
    '</svg>',
    '',
  ].join('\n');
}
