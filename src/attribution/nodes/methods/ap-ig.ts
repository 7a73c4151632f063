import { integral, pointsOf, pointsTitle } from '../../integral.js';
import { checkPoints, estimateNodes } from '../nodes.js';
import { nodeMethod } from '../types.js';

/** Attribution patching with the gradient averaged over points between the two prompts’ embeddings. */
export const apIg = nodeMethod({
  key: 'ap-ig',
  reference: 'Hanna, Pezzelle & Belinkov 2024, arXiv:2403.17806 (of nodes)',
  options: integral(5),
  direction: 'noising',
  along: 'embedding',
  title: (options) => `attribution patching, integrated along the embeddings, ${pointsTitle(options)}`,
  points: pointsOf,
  cost: ({ steps }) => ({ forwards: steps, backwards: steps, each: 'run' }),
  check: ({ metric, options }) => checkPoints(metric, pointsOf(options)),
  run: (context) => estimateNodes(context, { points: pointsOf(context.options), along: 'embedding' }),
});
