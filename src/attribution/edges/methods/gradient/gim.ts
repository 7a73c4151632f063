import type { Rules } from '../../../../engine/kernels/attribution.js';
import { checkGradient, CLEAN, scoreByGradient } from '../../integrate.js';
import { edgeMethod } from '../../types.js';

/** Each factor of a product gets half of what goes back: queries and keys, inside two products, a quarter. */
const RULES: Rules = {
  frozenNorms: true,
  mlp: { frozenNorm: true, lineThroughOrigin: false, factors: 0.5 },
  attention: { temperature: 2, queries: 0.25, keys: 0.25, values: 0.5 },
};

/** Gradient interaction modifications: EAP with a softer softmax on the way back, frozen norms and shares for factors. */
export const gim = edgeMethod({
  key: 'gim',
  reference: 'Edin et al. 2025, arXiv:2505.17630 (code: github.com/corticph/gim)',
  options: {},
  direction: 'noising',
  resolves: true,
  title: () => 'GIM',
  cost: () => ({ forwards: 3, backwards: 1 }),
  check: ({ metric }) => checkGradient(metric, CLEAN),
  run: (context) => scoreByGradient(context, 'gim', CLEAN, () => ({ rules: RULES })),
});
