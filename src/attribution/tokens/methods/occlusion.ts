import { featureAblation } from '../ablation.js';
import { tokenMethod } from '../types.js';

/** One span at a time takes the baseline's embeddings; what the metric loses is the span's. */
export const occlusion = tokenMethod({
  key: 'occlusion',
  reference: 'Zeiler & Fergus 2013, arXiv:1311.2901',
  of: 'span',
  sums: false,
  options: {},
  direction: 'noising',
  title: () => 'occlusion of one span at a time',
  cost: (_, spans) => ({ forwards: 4 + spans, backwards: 0 }),
  run: ({ f, way, groups }) => featureAblation(f, way, groups),
});
