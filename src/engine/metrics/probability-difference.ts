import { mul, softmax, sum } from '../../program/index.js';
import type { Metric } from './types.js';
import { contrast, weighted } from './weights.js';

/** Σ p(correct answers) − Σ p(incorrect answers), weights 1 unless the task says otherwise (Hanna et al. 2305.00586). */
export const probabilityDifference: Metric = {
  key: 'probability-difference',
  title: 'probability difference',
  unit: 'probability',
  reads: 'weights',
  linear: false,
  weights: (answer) => contrast(answer, weighted),
  build: (logits, { weights }) => sum(mul(softmax(logits), weights()), [-1]),
};
