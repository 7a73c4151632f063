import { informationFlow } from '../../../../engine/gradients/information-flow.js';
import { scoreBatches } from '../../collect.js';
import { edgeMethod } from '../../types.js';

/** Each sender's share of a reader's input. A contribution, not an effect: there is no counterfactual and no metric in it. */
export const informationFlowRoutes = edgeMethod({
  key: 'information-flow-routes',
  reference: 'Ferrando & Voita 2024, arXiv:2403.00824 (contributions without a counterfactual, not effects)',
  options: {},
  direction: null,
  title: () => 'information-flow routes (contributions)',
  cost: () => ({ forwards: 1, backwards: 0 }),
  run: (context) =>
    scoreBatches(context, { method: 'information-flow-routes', copies: 1 }, (batch) =>
      informationFlow(context.engine, batch),
    ),
});
