import { EXACT_PLAYERS, shapley } from '../shapley.js';
import type { TokenMethod } from '../types.js';

/** What a span adds, averaged over all orders in which spans can take the place of the baseline's. */
export const shap: TokenMethod = {
  key: 'shap',
  reference: 'Shapley 1953; KernelSHAP: Lundberg & Lee 2017, arXiv:1705.07874',
  of: 'span',
  sums: true,
  integrates: false,
  title: () => 'Shapley values of spans',
  cost: ({ samples }, spans) => ({
    forwards: 3 + (spans <= EXACT_PLAYERS ? 2 ** spans : 2 + 2 * spans + samples),
    backwards: 0,
  }),
  run: ({ f, way, groups }, setting) => shapley(f, { way, groups }, setting),
};
