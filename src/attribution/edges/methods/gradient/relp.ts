import { RELEVANCE } from '../../../../engine/gradients/relevance.js';
import { checkGradient, CLEAN, scoreByGradient } from '../../integrate.js';
import { edgeMethod } from '../../types.js';

/**
 * Relevance patching: EAP with the coefficients of layer-wise relevance propagation instead of derivatives. Steadier than EAP
 * through MLPs and norms; the pattern is taken as given, so edges into queries and keys score 0.
 */
export const relp = edgeMethod({
  key: 'relp',
  reference: 'Rezaei Jafari, Eberle, Khakzar & Nanda 2025, arXiv:2508.21258',
  options: {},
  direction: 'noising',
  resolves: true,
  title: () => 'RelP',
  cost: () => ({ forwards: 3, backwards: 1 }),
  check: ({ metric }) => checkGradient(metric, CLEAN),
  run: (context) => scoreByGradient(context, 'relp', CLEAN, () => ({ rules: RELEVANCE })),
});
