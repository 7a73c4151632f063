import { refuse } from '../../../../errors.js';
import { learnMasks } from '../../masks/learn.js';
import { masksCost } from '../../masks/minibatches.js';
import { checkMasks, maskSetting, masksTitle } from '../../masks/setting.js';
import { edgesBetween } from '../../node-scores.js';
import type { Method } from '../../types.js';

/**
 * Subnetwork probing: a mask for every node's output, learned with a price on open masks instead of a number of them. A node's score
 * is the probability that its mask is open, an edge's that of the less likely of its nodes.
 */
export const subnetworkProbing: Method = {
  key: 'subnetwork-probing',
  reference: 'Cao, Sanh & Rush 2021, arXiv:2104.03514',
  integrates: false,
  direction: 'noising',
  joint: true,
  title: (setting) => {
    const masks = maskSetting(setting);
    return `subnetwork probing, λ ${masks.lambda}, ${masksTitle(masks)}`;
  },
  cost: (setting, extent) => masksCost(maskSetting(setting), extent),
  check: ({ setting }) => {
    const masks = maskSetting(setting);
    const { lambda } = masks;
    checkMasks(masks);
    if (!(lambda > 0 && Number.isFinite(lambda)))
      refuse('discovery/search', `--lambda ${lambda} closes no node; give a price of nodes above 0, e.g. 1`);
  },
  run: async (context) => {
    const { universe } = context.engine;
    const setting = maskSetting(context.setting);
    const nodes = universe.senders.length - 1; // the input is never masked
    const ofEdge = universe.edgeSender.map((sender) => (sender === 0 ? nodes : sender - 1));
    const penalty = (): number => setting.lambda / nodes;
    const { open, plan } = await learnMasks(context, { units: { count: nodes, ofEdge }, setting, penalty });
    const mean = edgesBetween(universe, Float64Array.of(1, ...open));
    const scores = { method: 'subnetwork-probing', mean, perExample: null, exampleCount: context.examples.length };
    return { scores, plan };
  },
};
