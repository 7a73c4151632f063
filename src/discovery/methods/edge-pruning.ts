import { topN } from '../../circuit/select/top-n.js';
import { refuse } from '../../errors.js';
import { learnMasks, type Penalty } from '../masks/learn.js';
import { masksCost } from '../masks/minibatches.js';
import { checkMasks, maskSetting, masksTitle, type MaskSetting } from '../masks/setting.js';
import type { Method } from '../types.js';

/** The share of the updates in which the target falls from all edges to those asked for. */
const WARMUP = 0.6;
/** how fast the multiplier rises, and the price of a violation itself, nats; found on the bundled IOI model */
const ASCENT = 3;
const STIFFNESS = 200;

/**
 * Edge pruning: a mask for every edge, learned so that the masked model says what the model says, under the constraint (by Lagrange
 * multipliers that rise with the violation) that as many edges are open as are asked for. The threshold is the one that leaves so
 * many, and what is found is a circuit of whole edges; the score of an edge is the probability that its mask is open.
 */
export const edgePruning: Method = {
  key: 'edge-pruning',
  reference: 'Bhaskar, Wettig, Friedman & Chen 2024, arXiv:2406.16778',
  integrates: false,
  direction: 'noising',
  joint: true,
  title: (setting) => {
    const masks = maskSetting(setting);
    return `edge pruning to ${masks.edges} edges, ${masksTitle(masks)}`;
  },
  cost: (setting, extent) => masksCost(maskSetting(setting), extent),
  check: ({ setting }) => {
    const masks = maskSetting(setting);
    const { edges } = masks;
    checkMasks(masks);
    if (edges < 1) refuse('discovery/search', `--edges ${edges} leaves no circuit to learn; ask for 1 or more`);
  },
  run: async (context) => {
    const { universe } = context.engine;
    const setting = maskSetting(context.setting);
    const requested = Math.min(setting.edges, universe.edgeCount);
    const units = { count: universe.edgeCount, ofEdge: Int32Array.from({ length: universe.edgeCount }, (_, e) => e) };
    const penalty = lagrangian(universe.edgeCount, requested, setting);
    const { open, plan } = await learnMasks(context, { units, setting, penalty });
    const scores = { method: 'edge-pruning', mean: open, perExample: null, exampleCount: context.examples.length };
    const { chosen } = topN.choose(universe, open, requested);
    return { scores, plan, found: { edges: chosen, by: 'signed' } };
  },
};

/**
 * The price of an open edge: that of an augmented Lagrangian, λ d + c d² / 2 with d = (expected number of open edges − target) / edges,
 * λ ≥ 0 rising with the violation. The target falls from all edges to those asked for. An edge costs nothing while fewer are open.
 */
function lagrangian(edgeCount: number, requested: number, { updates }: MaskSetting): Penalty {
  let multiplier = 0;
  return (size, t) => {
    const fallen = Math.min(1, t / (WARMUP * updates));
    const target = edgeCount + fallen * (requested - edgeCount);
    const violation = (size - target) / edgeCount;
    multiplier = Math.max(0, multiplier + ASCENT * violation);
    return Math.max(0, multiplier + STIFFNESS * violation) / edgeCount;
  };
}
