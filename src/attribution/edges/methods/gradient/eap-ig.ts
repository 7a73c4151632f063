import { integral, pointsOf, pointsTitle } from '../../../integral.js';
import { checkGradient, scoreByGradient } from '../../integrate.js';
import { edgeMethod } from '../../types.js';

const OPTIONS = integral(5);

/**
 * Edge attribution patching with integrated gradients over the input: gradients at points between the two prompts' embeddings.
 * The default midpoints lean to neither end; `left` are the points of the authors' code.
 */
export const eapIg = edgeMethod({
  key: 'eap-ig',
  reference: 'Hanna, Pezzelle & Belinkov 2024, arXiv:2403.17806',
  options: OPTIONS,
  direction: 'noising',
  resolves: true,
  title: (options) => `EAP-IG, ${pointsTitle(options)}`,
  cost: ({ steps }) => ({ forwards: 2 + steps, backwards: steps }),
  check: ({ metric, options }) => checkGradient(metric, pointsOf(options)),
  points: pointsOf,
  run: (context) => scoreByGradient(context, 'eap-ig', pointsOf(context.options)),
});
