import { featureAblation } from '../ablation.js';
import { tokenMethod } from '../types.js';

/** One token at a time takes the baseline's embedding; what the metric loses is the token's. */
export const leaveOneOut = tokenMethod({
  key: 'loo',
  reference: 'Li, Monroe & Jurafsky 2016, arXiv:1612.08220',
  of: 'token',
  sums: false,
  options: {},
  direction: 'noising',
  title: () => 'leave one token out',
  cost: (_, tokens) => ({ forwards: 4 + tokens, backwards: 0 }),
  run: ({ f, way, groups }) => featureAblation(f, way, groups),
});
