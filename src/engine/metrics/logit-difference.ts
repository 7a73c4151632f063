import { mul, sum } from '../../program/index.js';
import type { Metric } from './types.js';
import { contrast, weighted } from './weights.js';

/** Mean logit of the correct answers minus mean logit of the incorrect ones (Wang et al. 2211.00593). */
export const logitDifference: Metric = {
  key: 'logit-difference',
  title: 'logit difference',
  unit: 'logits',
  reads: 'weights',
  linear: true,
  weights: (answer) => contrast(answer, weighted),
  build: (logits, { weights }) => sum(mul(logits, weights()), [-1]),
};
