import type { Point } from '../../../engine/gradients/gradient.js';
import { checkPoints, estimateNodes } from '../nodes.js';
import { nodeMethod } from '../types.js';

const CLEAN: readonly Point[] = [{ at: 1, weight: 1 }];

/** Attribution patching: the gradient at the clean prompts. */
export const ap = nodeMethod({
  key: 'ap',
  reference: 'Nanda 2023, Attribution Patching; Kramár et al. 2024, arXiv:2403.00745',
  options: {},
  direction: 'noising',
  along: 'embedding',
  title: () => 'attribution patching',
  points: () => CLEAN,
  cost: () => ({ forwards: 1, backwards: 1, each: 'run' }),
  check: ({ metric }) => checkPoints(metric, CLEAN),
  run: (context) => estimateNodes(context, { points: CLEAN, along: 'embedding' }),
});
