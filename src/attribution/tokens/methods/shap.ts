import { seedOption, wholeOption } from '../../options.js';
import { EXACT_PLAYERS, shapley } from '../shapley.js';
import { tokenMethod } from '../types.js';

/** What a span adds, averaged over all orders in which spans can take the place of the baseline's. */
export const shap = tokenMethod({
  key: 'shap',
  reference: 'Shapley 1953; KernelSHAP: Lundberg & Lee 2017, arXiv:1705.07874',
  of: 'span',
  sums: true,
  options: {
    samples: wholeOption('coalitions drawn where there are more than 12 spans', { standard: 2048, least: 0 }),
    seed: seedOption,
  },
  direction: 'noising',
  title: () => 'Shapley values of spans',
  cost: ({ samples }, spans) => ({
    forwards: 3 + (spans <= EXACT_PLAYERS ? 2 ** spans : 2 + 2 * spans + samples),
    backwards: 0,
  }),
  run: ({ f, way, groups, options }) => shapley(f, { way, groups }, options),
});
