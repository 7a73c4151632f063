import { checkGradient, CLEAN, scoreByGradient } from '../../integrate.js';
import { edgeMethod } from '../../types.js';

/**
 * EAP with AtP*'s QK fix: where a query or key is moved, the softmax is recomputed and what follows is linear, so that heads whose
 * attention is saturated are not missed. What the whole query (of a position) or all keys (of a head) do is exact in that sense;
 * each edge into them has its share of the change.
 */
export const atpStar = edgeMethod({
  key: 'atp-star',
  reference: 'Kramár, Lieberum, Shah & Nanda 2024, arXiv:2403.00745 (QK fix)',
  options: {},
  direction: 'noising',
  resolves: true,
  title: () => 'AtP* (QK fix)',
  cost: () => ({ forwards: 3, backwards: 1 }),
  check: ({ metric }) => checkGradient(metric, CLEAN),
  run: (context) => scoreByGradient(context, 'atp-star', CLEAN, ({ alternative }) => ({ toward: alternative.heads })),
});
