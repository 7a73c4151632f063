import { riemannPoints, scoreByGradient } from '../integrate.js';
import type { Method, RiemannRule } from '../types.js';

const RULE_NAMES: { readonly [Rule in RiemannRule]: string } = {
  left: 'left point',
  right: 'right point',
  midpoint: 'midpoint',
};

/**
 * Edge attribution patching with integrated gradients over the input: gradients at points between the two prompts' embeddings.
 * The default midpoints lean to neither end; `left` are the points of the authors' code.
 */
export const eapIg: Method = {
  key: 'eap-ig',
  reference: 'Hanna, Pezzelle & Belinkov 2024, arXiv:2403.17806',
  integrates: true,
  direction: 'noising',
  title: ({ steps, rule }) => `EAP-IG, ${steps} ${RULE_NAMES[rule]}${steps === 1 ? '' : 's'}`,
  cost: ({ steps }) => ({ forwards: 2 + steps, backwards: steps }),
  run: (context) => scoreByGradient(context, 'eap-ig', riemannPoints(context.setting.rule, context.setting.steps)),
};
