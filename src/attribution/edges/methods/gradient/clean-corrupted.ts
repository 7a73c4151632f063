import { scoreByGradient } from '../../integrate.js';
import { edgeMethod } from '../../types.js';

const ENDS = [
  { at: 1, weight: 0.5 },
  { at: 0, weight: 0.5 },
];

/** The mean of the gradients at the two ends: the trapezoid rule with two points. */
export const cleanCorrupted = edgeMethod({
  key: 'clean-corrupted',
  reference: 'Hanna, Pezzelle & Belinkov 2024, arXiv:2403.17806 (code: github.com/hannamw/EAP-IG)',
  options: {},
  direction: 'noising',
  resolves: true,
  title: () => 'gradients at both ends',
  cost: () => ({ forwards: 4, backwards: 2 }),
  points: () => ENDS,
  run: (context) => scoreByGradient(context, 'clean-corrupted', ENDS),
});
