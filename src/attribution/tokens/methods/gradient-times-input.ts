import { METRICS } from '../../../engine/metrics/index.js';
import { refuse } from '../../../errors.js';
import { sumsOf } from '../function.js';
import { gradientTimesInput } from '../gradients.js';
import type { TokenMethod } from '../types.js';

/** The gradient at the prompt times how far each embedding is from the baseline's. */
export const gradientInput: TokenMethod = {
  key: 'grad-x-input',
  reference: 'Simonyan, Vedaldi & Zisserman 2013, arXiv:1312.6034; Shrikumar et al. 2016, arXiv:1605.01713',
  of: 'token',
  sums: false,
  integrates: false,
  title: () => 'gradient × input',
  cost: () => ({ forwards: 4, backwards: 1 }),
  check: ({ metric }) => {
    // what compares with the clean run is at its best there: its gradient is zero
    if (METRICS[metric].reads === 'clean')
      refuse(
        'attribution/gradient',
        `${metric} has no gradient on the clean prompts, the only point asked for; use the method ig, loo, occlusion or shap, or another metric (logit-difference, log-probability, probability-difference)`,
      );
  },
  run: async ({ f, way, groups }) => sumsOf(await gradientTimesInput(f, way), groups),
};
