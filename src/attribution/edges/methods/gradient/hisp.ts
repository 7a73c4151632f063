import type { Universe } from '../../../../circuit/types.js';
import { makeSource } from '../../../../engine/sources/index.js';
import { checkGradient, CLEAN, scoreByGradient } from '../../integrate.js';
import { edgesBetween, nodeScores } from '../../node-scores.js';
import { edgeMethod, type Attribution, type EdgesContext } from '../../types.js';

/**
 * Head importance scores for pruning: |∂metric/∂ξ| of a mask ξ = 1 on a node's output, mean over examples, each layer divided by its
 * L2 norm. The gradient of a mask is the first-order effect of zeroing the node. Signs are lost: a node that hurts is important too.
 */
export const hisp = edgeMethod({
  key: 'hisp',
  reference: 'Michel, Levy & Neubig 2019, arXiv:1905.10650',
  options: {},
  direction: 'noising',
  joint: true,
  title: () => 'HISP (head importance, absolute)',
  cost: () => ({ forwards: 3, backwards: 1 }),
  check: ({ metric }) => checkGradient(metric, CLEAN),
  run,
});

async function run(context: EdgesContext): Promise<Attribution> {
  const { engine, examples } = context;
  const source = await makeSource(engine, 'zero', { batches: [], side: 'clean' });
  const { scores, plan } = await scoreByGradient({ ...context, source }, 'hisp', CLEAN);
  const importance = new Float64Array(engine.universe.senders.length);
  const perExample = scores.perExample!;
  for (let at = 0; at < perExample.length; at += engine.universe.edgeCount)
    nodeScores(engine.universe, perExample.subarray(at, at + engine.universe.edgeCount)).forEach(
      (score, node) => (importance[node]! += Math.abs(score) / examples.length),
    );
  const mean = edgesBetween(engine.universe, byLayer(engine.universe, importance));
  return { scores: { method: 'hisp', mean, perExample: null, exampleCount: examples.length }, plan };
}

/** Each layer's importances divided by their L2 norm; those of a layer without any stay 0. */
function byLayer({ senders }: Universe, importance: Float64Array): Float64Array {
  const squares = new Map<number, number>();
  senders.forEach(({ layer }, node) => squares.set(layer, (squares.get(layer) ?? 0) + importance[node]! ** 2));
  return importance.map((x, node) => x / (Math.sqrt(squares.get(senders[node]!.layer)!) || 1));
}
