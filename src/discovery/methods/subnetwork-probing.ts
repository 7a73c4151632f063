import { refuse } from '../../errors.js';
import { learnMasks } from '../masks/learn.js';
import { MASK_DEFAULTS, type MaskSetting } from '../masks/setting.js';
import { edgesBetween } from '../nodes.js';
import type { Method, MethodSetting } from '../types.js';

const settingOf = ({ masks }: MethodSetting): MaskSetting => ({ ...MASK_DEFAULTS, ...masks });

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
    const { lambda, updates, holds } = settingOf(setting);
    return `subnetwork probing, λ ${lambda}, ${updates} updates, ${holds === 'kl' ? 'KL' : 'the metric'}`;
  },
  cost: (setting) => ({ forwards: 2 + 2 * settingOf(setting).updates, backwards: settingOf(setting).updates }),
  check: ({ setting }) => {
    const { lambda } = settingOf(setting);
    if (!(lambda >= 0)) refuse('discovery/search', `λ = ${lambda} is no price of nodes; give a number of 0 or more`);
  },
  run: async (context) => {
    const { universe } = context.engine;
    const setting = settingOf(context.setting);
    const nodes = universe.senders.length - 1; // the input is never masked
    const ofEdge = universe.edgeSender.map((sender) => (sender === 0 ? nodes : sender - 1));
    const penalty = (): number => setting.lambda / nodes;
    const { open, plan } = await learnMasks(context, { units: { count: nodes, ofEdge }, setting, penalty });
    const mean = edgesBetween(universe, Float64Array.of(1, ...open));
    const scores = { method: 'subnetwork-probing', mean, perExample: null, exampleCount: context.examples.length };
    return { scores, plan };
  },
};
