import type { MetricKey } from '../../task/types.js';
import { klDivergence } from './kl-divergence.js';
import { logProbability } from './log-probability.js';
import { logitDifference } from './logit-difference.js';
import { probabilityDifference } from './probability-difference.js';
import { squaredError } from './squared-error.js';
import type { Metric } from './types.js';

/** Every metric; a new one is a file and a line here. */
export const METRICS: { readonly [Key in MetricKey]: Metric } = {
  'logit-difference': logitDifference,
  'probability-difference': probabilityDifference,
  'log-probability': logProbability,
  'kl-divergence': klDivergence,
  'squared-error': squaredError,
};

export type { Metric } from './types.js';
