import { checkGradient, CLEAN, scoreByGradient } from '../../integrate.js';
import { edgeMethod } from '../../types.js';

/** Edge attribution patching: the gradient at the clean run. 0 where the softmax saturates, and everywhere for KL at clean. */
export const eap = edgeMethod({
  key: 'eap',
  reference: 'Syed, Rager & Conmy 2023, arXiv:2310.10348',
  options: {},
  direction: 'noising',
  resolves: true,
  title: () => 'EAP',
  cost: () => ({ forwards: 3, backwards: 1 }),
  check: ({ metric }) => checkGradient(metric, CLEAN),
  points: () => CLEAN,
  run: (context) => scoreByGradient(context, 'eap', CLEAN),
});
