import { exactEffects } from '../../exact-effects.js';
import { edgeMethod } from '../../types.js';

/** The effect of cutting one edge in the clean run, everything downstream recomputed; every edge in turn. */
export const exact = edgeMethod({
  key: 'exact',
  reference: 'Conmy et al. 2023, arXiv:2304.14997 (single-edge effects)',
  options: {},
  direction: 'noising',
  resolves: true,
  resumes: true,
  title: () => 'exact effects',
  // and an estimate, which says where to begin
  cost: (_, { edges }) => ({ forwards: 7 + Math.ceil(edges / 3), backwards: 5 }),
  run: (context) => exactEffects(context),
});
