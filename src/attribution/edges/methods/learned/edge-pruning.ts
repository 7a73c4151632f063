import { topN } from '../../../../circuit/select/top-n.js';
import { wholeOption } from '../../../options.js';
import { holdingOn } from '../../held.js';
import { learnMasks, type Learned, type Penalty } from '../../masks/learn.js';
import { circuitLosses } from '../../masks/losses.js';
import { masksCost } from '../../masks/minibatches.js';
import { MASK_OPTIONS, masksTitle, type MaskSetting } from '../../masks/setting.js';
import { edgeMethod, type EdgesContext } from '../../types.js';

/** The share of the updates in which the target falls from all edges to those asked for. */
const WARMUP = 0.7;
/** how fast the multiplier rises, and the price of a violation itself, nats; chosen on the bundled IOI model's pairs to choose by */
const ASCENT = 0.003;
const STIFFNESS = 1;

/**
 * Edge pruning: a mask for every edge, learned so that the masked model says what the model says, under the constraint (by Lagrange
 * multipliers that rise with the violation) that as many edges are open as are asked for. The threshold is the one that leaves so
 * many, and what is found is a circuit of whole edges, the best of several attempts by what it keeps of the discovery pairs; the score of an edge is the probability that its mask is open.
 */
export const edgePruning = edgeMethod({
  key: 'edge-pruning',
  reference: 'Bhaskar, Wettig, Friedman & Chen 2024, arXiv:2406.16778',
  options: {
    edges: wholeOption('edges of the circuit that is learned', { standard: 200, least: 1, code: 'discovery/search' }),
    ...MASK_OPTIONS,
    restarts: wholeOption('circuits learned, each with noise of its own, the best of which is kept', {
      standard: 3,
      least: 1,
      code: 'discovery/search',
    }),
  },
  direction: 'noising',
  joint: true,
  title: (masks) => `edge pruning to ${masks.edges} edges, the best of ${masks.restarts}, ${masksTitle(masks)}`,
  cost: (masks, extent) => {
    const { forwards, backwards } = masksCost(masks, extent);
    const { restarts } = masks;
    const compared = restarts === 1 ? 0 : 2 + restarts;
    return { forwards: restarts * forwards + compared, backwards: restarts * backwards };
  },
  adapt: holdingOn,
  run: async (context) => {
    const { universe } = context.engine;
    const setting = context.options;
    const requested = Math.min(setting.edges, universe.edgeCount);
    const units = { count: universe.edgeCount, ofEdge: Int32Array.from({ length: universe.edgeCount }, (_, e) => e) };
    const attempts: (Learned & { readonly chosen: Uint8Array })[] = [];
    for (const [i, attempt] of attemptsOf(context, setting.restarts).entries()) {
      const penalty = lagrangian(universe.edgeCount, requested, setting);
      // no two seeds share an attempt
      const own = { ...setting, seed: setting.seed * setting.restarts + i };
      const learned = await learnMasks(attempt, { units, setting: own, penalty });
      attempts.push({ ...learned, ...topN.choose(universe, learned.open, requested) });
    }
    const circuits = attempts.map(({ chosen }) => chosen);
    const losses = circuits.length === 1 ? [0] : await circuitLosses(context, circuits, setting.holds);
    const best = losses.reduce((least, loss, i) => (loss < (losses[least] as number) ? i : least), 0);
    const { open, plan, chosen } = attempts[best] as (typeof attempts)[number];
    const scores = { method: 'edge-pruning', mean: open, perExample: null, exampleCount: context.examples.length };
    return { scores, plan, found: { edges: chosen, by: 'signed' } };
  },
});

/** The same question, each attempt a share of the progress. */
const attemptsOf = (context: EdgesContext, count: number): EdgesContext[] =>
  Array.from({ length: count }, (_, i) => ({
    ...context,
    onProgress: (done, total) => context.onProgress(i * total + done, count * total),
  }));

/**
 * The price of an open edge: that of an augmented Lagrangian, λ d + c d² / 2 with d = ln(expected number of open edges / target), λ ≥ 0
 * rising with d. The target falls from all edges to those asked for, by the same share at every update. An edge costs nothing while
 * fewer are open. Of the logarithm, so that one edge too many weighs the same against a target of 20 as 50 against one of 1000; and
 * both small: a price far above what the last edges are worth closes what matters with what does not, and no edge comes back from
 * there, since a mask that is never open has no gradient.
 */
function lagrangian(edgeCount: number, requested: number, { updates }: MaskSetting): Penalty {
  let multiplier = 0;
  return (size, t) => {
    const fallen = Math.min(1, t / (WARMUP * updates));
    const target = edgeCount * (requested / edgeCount) ** fallen;
    const violation = Math.log(size / target);
    multiplier = Math.max(0, multiplier + ASCENT * violation);
    return Math.max(0, multiplier + STIFFNESS * violation) / size;
  };
}
