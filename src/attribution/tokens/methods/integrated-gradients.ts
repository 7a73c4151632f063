import { describePoints, riemannPoints } from '../../../engine/gradients/riemann.js';
import { sumsOf } from '../function.js';
import { integratedGradients } from '../gradients.js';
import type { TokenMethod } from '../types.js';
import { gradientInput } from './gradient-times-input.js';

/** Gradients along the straight line from the baseline's embeddings to the prompt's: they add up to what the metric changes by. */
export const integrated: TokenMethod = {
  key: 'ig',
  reference: 'Sundararajan, Taly & Yan 2017, arXiv:1703.01365',
  of: 'token',
  sums: true,
  integrates: true,
  title: ({ steps, rule }) => `integrated gradients, ${describePoints(rule, steps)}`,
  cost: ({ steps }) => ({ forwards: 3 + steps, backwards: steps }),
  check: (asked) => {
    const points = riemannPoints(asked.setting.rule, asked.setting.steps);
    if (points.every(({ at }) => at === 1)) gradientInput.check?.(asked);
  },
  run: async ({ f, way, groups }, { rule, steps }) =>
    sumsOf(await integratedGradients(f, way, riemannPoints(rule, steps)), groups),
};
