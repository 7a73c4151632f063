import { integral, pointsOf, pointsTitle } from '../../integral.js';
import { checkPoints, estimateNodes } from '../nodes.js';
import { nodeMethod } from '../types.js';

/** The gradient averaged over points between a site’s own two values, one site of one layer at a time. */
export const ig = nodeMethod({
  key: 'ig',
  reference: 'Marks et al. 2024, arXiv:2403.19647; Dhamdhere, Sundararajan & Yan 2018, arXiv:1805.12233',
  options: integral(5),
  direction: 'noising',
  along: 'site',
  title: (options) => `integrated gradients of each site, ${pointsTitle(options)}`,
  points: pointsOf,
  cost: ({ steps }) => ({ forwards: steps, backwards: steps, each: 'site and layer' }),
  check: ({ metric, options }) => checkPoints(metric, pointsOf(options)),
  run: (context) => estimateNodes(context, { points: pointsOf(context.options), along: 'site' }),
});
