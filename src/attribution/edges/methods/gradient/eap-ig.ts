import { describePoints, riemannPoints } from '../../../../engine/gradients/riemann.js';
import { checkGradient, scoreByGradient } from '../../integrate.js';
import type { Method } from '../../types.js';

/**
 * Edge attribution patching with integrated gradients over the input: gradients at points between the two prompts' embeddings.
 * The default midpoints lean to neither end; `left` are the points of the authors' code.
 */
export const eapIg: Method = {
  key: 'eap-ig',
  reference: 'Hanna, Pezzelle & Belinkov 2024, arXiv:2403.17806',
  integrates: true,
  direction: 'noising',
  resolves: true,
  title: ({ steps, rule }) => `EAP-IG, ${describePoints(rule, steps)}`,
  cost: ({ steps }) => ({ forwards: 2 + steps, backwards: steps }),
  check: ({ metric, setting: { rule, steps } }) => checkGradient(metric, riemannPoints(rule, steps)),
  points: ({ rule, steps }) => riemannPoints(rule, steps),
  run: (context) => scoreByGradient(context, 'eap-ig', riemannPoints(context.setting.rule, context.setting.steps)),
};
