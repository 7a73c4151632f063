/** Every edge whose rank reaches a score. */
import type { SelectionRule } from './rule.js';

export const threshold: SelectionRule = {
  key: 'threshold',
  title: 'every edge whose score reaches a threshold',
  reference: 'apply_threshold in EAP-IG',
  requests: 'score',
  choose: (_universe, ranks, least) => ({
    chosen: Uint8Array.from(ranks, (rank) => (rank >= least ? 1 : 0)),
    tiesLeftOut: 0,
  }),
};
