import { positiveOption } from '../../../options.js';
import { holdingOn } from '../../held.js';
import { learnMasks } from '../../masks/learn.js';
import { masksCost } from '../../masks/minibatches.js';
import { MASK_OPTIONS, masksTitle } from '../../masks/setting.js';
import { edgesBetween } from '../../node-scores.js';
import { edgeMethod } from '../../types.js';

/**
 * Subnetwork probing: a mask for every node's output, learned with a price on open masks instead of a number of them. A node's score
 * is the probability that its mask is open, an edge's that of the less likely of its nodes.
 */
export const subnetworkProbing = edgeMethod({
  key: 'subnetwork-probing',
  reference: 'Cao, Sanh & Rush 2021, arXiv:2104.03514',
  options: {
    ...MASK_OPTIONS,
    lambda: positiveOption('what the loss pays if every node is open, in nats', {
      standard: 1,
      code: 'discovery/search',
    }),
  },
  direction: 'noising',
  joint: true,
  title: (masks) => `subnetwork probing, λ ${masks.lambda}, ${masksTitle(masks)}`,
  cost: (masks, extent) => masksCost(masks, extent),
  adapt: holdingOn,
  run: async (context) => {
    const { universe } = context.engine;
    const setting = context.options;
    const nodes = universe.senders.length - 1; // the input is never masked
    const ofEdge = universe.edgeSender.map((sender) => (sender === 0 ? nodes : sender - 1));
    const penalty = (): number => setting.lambda / nodes;
    const { open, plan } = await learnMasks(context, { units: { count: nodes, ofEdge }, setting, penalty });
    const mean = edgesBetween(universe, Float64Array.of(1, ...open));
    const scores = { method: 'subnetwork-probing', mean, perExample: null, exampleCount: context.examples.length };
    return { scores, plan };
  },
});
