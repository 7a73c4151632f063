import { exp, logSoftmax, mul, sub, sum } from '../../program/index.js';
import type { Metric } from './types.js';

/**
 * −KL(clean model ‖ run), summed over the vocabulary, in nats: 0 at the clean run, negative elsewhere. Its gradient at the
 * clean run is zero, so that attribution needs another point or another metric.
 */
export const klDivergence: Metric = {
  key: 'kl-divergence',
  title: 'negative KL divergence to the clean run',
  unit: 'nats',
  reads: 'clean',
  linear: false,
  weights: () => new Map(),
  build: (logits, { clean }) => sum(mul(exp(clean()), sub(logSoftmax(logits), clean())), [-1]),
};
