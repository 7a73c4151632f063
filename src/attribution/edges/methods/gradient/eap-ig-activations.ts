import { activationGradients } from '../../../../engine/gradients/activation-gradient.js';
import { withSession } from '../../../../engine/questions/session.js';
import { integral, pointsOf, pointsTitle } from '../../../integral.js';
import { negated, noising, scoreBatches } from '../../collect.js';
import { checkGradient } from '../../integrate.js';
import { edgeMethod } from '../../types.js';

const OPTIONS = integral(5);

/**
 * Integrated gradients over activations: the embedding, each layer's heads and each MLP are moved in turn from their corrupt output
 * to their clean one. The points of the authors' code are `right`.
 */
export const eapIgActivations = edgeMethod({
  key: 'eap-ig-activations',
  reference: 'Marks et al. 2024, arXiv:2403.19647; Mueller et al. 2025, arXiv:2504.13151',
  options: OPTIONS,
  direction: 'noising',
  resolves: true,
  title: (options) => `EAP-IG over activations, ${pointsTitle(options)}`,
  // a group's runs go through the layers above it: on average half, and there are two groups for each layer
  cost: ({ steps }, { layers }) => ({ forwards: 3 + steps * (layers + 1), backwards: 1 + steps * (layers + 1) }),
  check: ({ metric, options }) => checkGradient(metric, pointsOf(options)),
  run: (context) => {
    const points = pointsOf(context.options);
    return scoreBatches(context, { method: 'eap-ig-activations', copies: points.length + 1 }, (batch) =>
      withSession(context.engine, batch, noising(context), async ({ bound }) =>
        negated(await activationGradients(bound, points, context)),
      ),
    );
  },
});
