/** The options of methods that average gradients over points of a line. */
import { describePoints, RIEMANN_RULES, riemannPoints, type RiemannRule } from '../engine/gradients/riemann.js';
import type { Point } from '../engine/gradients/gradient.js';
import { choiceOption, wholeOption, type OptionsOf } from './options.js';

export const integral = (steps: number) => ({
  steps: wholeOption('points of the integral', { standard: steps, least: 1, code: 'discovery/steps' }),
  rule: choiceOption<RiemannRule>('where the points lie', { choices: RIEMANN_RULES, standard: 'midpoint' }),
});

type Integral = OptionsOf<ReturnType<typeof integral>>;

/** @throws TheveninError discovery/steps */
export const pointsOf = ({ rule, steps }: Integral): readonly Point[] => riemannPoints(rule, steps);

export const pointsTitle = ({ rule, steps }: Integral): string => describePoints(rule, steps);
