/** Rules for the integral over the line from the corrupt prompt (0) to the clean one (1). */
import { refuse } from '../../errors.js';
import type { Point } from './gradient.js';

interface Rule {
  /** of one point, for titles */
  readonly title: string;
  /** the fewest points it is defined for */
  readonly least: number;
  points(count: number): Point[];
}

const evenly = (count: number, at: (k: number) => number): Point[] =>
  Array.from({ length: count }, (_, k) => ({ at: at(k) / count, weight: 1 / count }));

/** Both ends count half. */
const trapezoid = (count: number): Point[] => {
  const last = count - 1;
  return Array.from({ length: count }, (_, k) => ({ at: k / last, weight: (k === 0 || k === last ? 0.5 : 1) / last }));
};

/** Legendre's polynomial of a degree at x and its derivative: (k+1) P_{k+1} = (2k+1) x P_k − k P_{k−1}. */
const legendre = (degree: number, x: number): { value: number; slope: number } => {
  let [before, value] = [0, 1];
  for (let k = 0; k < degree; k++) [before, value] = [value, ((2 * k + 1) * x * value - k * before) / (k + 1)];
  return { value, slope: (degree * (x * value - before)) / (x * x - 1) };
};

/** Exact for polynomials of degree 2 · count − 1: roots of Legendre's polynomial by Newton's method, moved from [−1, 1] to [0, 1]. */
const gaussLegendre = (count: number): Point[] =>
  Array.from({ length: count }, (_, k) => {
    let x = -Math.cos((Math.PI * (k + 0.75)) / (count + 0.5));
    for (let step = 0; step < 8; step++) {
      const { value, slope } = legendre(count, x);
      x -= value / slope;
    }
    const { slope } = legendre(count, x);
    return { at: (1 + x) / 2, weight: 1 / ((1 - x * x) * slope * slope) };
  });

/** Every rule; a new one is an entry here. `left` is what EAP-IG's code does: the corrupt end is in, the clean end is not. */
export const RULES = {
  left: { title: 'left point', least: 1, points: (count) => evenly(count, (k) => k) },
  right: { title: 'right point', least: 1, points: (count) => evenly(count, (k) => k + 1) },
  midpoint: { title: 'midpoint', least: 1, points: (count) => evenly(count, (k) => k + 0.5) },
  trapezoid: { title: 'trapezoid point', least: 2, points: trapezoid },
  'gauss-legendre': { title: 'Gauss–Legendre point', least: 1, points: gaussLegendre },
} as const satisfies Readonly<Record<string, Rule>>;

export type RiemannRule = keyof typeof RULES;

export const RIEMANN_RULES = Object.keys(RULES) as RiemannRule[];

/** @throws TheveninError discovery/steps */
export function riemannPoints(rule: RiemannRule, steps: number): Point[] {
  const { least, points } = RULES[rule];
  if (steps < least)
    refuse('discovery/steps', `the ${rule} rule needs at least ${least} points, not ${steps}; raise --steps`);
  return points(steps);
}

/** `5 midpoints` */
export const describePoints = (rule: RiemannRule, count: number): string =>
  `${count} ${RULES[rule].title}${count === 1 ? '' : 's'}`;
