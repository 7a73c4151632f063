import { logSoftmax, mul, sum } from '../../program/index.js';
import type { Metric } from './types.js';

/** Mean natural log-probability of the correct answers; incorrect ones are not read. */
export const logProbability: Metric = {
  key: 'log-probability',
  title: 'log-probability',
  unit: 'nats',
  reads: 'weights',
  linear: false,
  weights: ({ correct }) => new Map(correct.ids.map((id, i) => [id, correct.weights[i] ?? 0])),
  build: (logits, { weights }) => sum(mul(logSoftmax(logits), weights()), [-1]),
};
