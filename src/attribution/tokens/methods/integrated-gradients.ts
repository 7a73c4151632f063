import { integral, pointsOf, pointsTitle } from '../../integral.js';
import { sumsOf } from '../function.js';
import { integratedGradients } from '../gradients.js';
import { tokenMethod } from '../types.js';
import { checkAtInput } from './gradient-times-input.js';

/** Gradients along the straight line from the baseline's embeddings to the prompt's: they add up to what the metric changes by. */
export const integrated = tokenMethod({
  key: 'ig',
  reference: 'Sundararajan, Taly & Yan 2017, arXiv:1703.01365',
  of: 'token',
  sums: true,
  options: integral(50),
  direction: 'noising',
  title: (options) => `integrated gradients, ${pointsTitle(options)}`,
  cost: ({ steps }) => ({ forwards: 3 + steps, backwards: steps }),
  check: ({ metric, options }) => {
    if (pointsOf(options).every(({ at }) => at === 1)) checkAtInput(metric);
  },
  run: async ({ f, way, groups, options }) => sumsOf(await integratedGradients(f, way, pointsOf(options)), groups),
});
