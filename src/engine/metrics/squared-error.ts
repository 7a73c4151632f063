import { mul, neg, reshape, slice, sub } from '../../program/index.js';
import type { Metric } from './types.js';

/** −(output 0 − target)²: for models whose first output is a number. */
export const squaredError: Metric = {
  key: 'squared-error',
  title: 'negative squared error',
  unit: 'squared output units',
  reads: 'target',
  linear: false,
  weights: () => new Map(),
  build: (logits, { target }) => {
    const value = reshape(slice(logits, -1, [0, 1]), logits.shape.slice(0, -1));
    const error = sub(value, target());
    return neg(mul(error, error));
  },
};
