import { METRICS } from '../../../engine/metrics/index.js';
import { refuse } from '../../../errors.js';
import type { MetricKey } from '../../../task/types.js';
import { sumsOf } from '../function.js';
import { gradientTimesInput } from '../gradients.js';
import { tokenMethod } from '../types.js';

/** What compares with the clean run is at its best there: its gradient is zero. @throws TheveninError attribution/gradient */
export function checkAtInput(metric: MetricKey): void {
  if (METRICS[metric].reads === 'clean')
    refuse(
      'attribution/gradient',
      `${metric} has no gradient on the clean prompts, the only point asked for; use the method ig, loo, occlusion or shap, or another metric (logit-difference, log-probability, probability-difference)`,
    );
}

/** The gradient at the prompt times how far each embedding is from the baseline's. */
export const gradientInput = tokenMethod({
  key: 'grad-x-input',
  reference: 'Simonyan, Vedaldi & Zisserman 2013, arXiv:1312.6034; Shrikumar et al. 2016, arXiv:1605.01713',
  of: 'token',
  sums: false,
  options: {},
  direction: 'noising',
  title: () => 'gradient × input',
  cost: () => ({ forwards: 4, backwards: 1 }),
  check: ({ metric }) => checkAtInput(metric),
  run: async ({ f, way, groups }) => sumsOf(await gradientTimesInput(f, way), groups),
});
