import type { Random } from './random.js';

const STEPS = 2 ** 30;

/** Standard normal draws (Box and Muller 1958). */
export const gaussian =
  (random: Random): (() => number) =>
  () => {
    const radius = Math.sqrt(-2 * Math.log(random.between(1, STEPS) / STEPS));
    return radius * Math.cos((2 * Math.PI * random.between(1, STEPS)) / STEPS);
  };
