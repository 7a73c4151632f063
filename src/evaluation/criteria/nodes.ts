import { nodesIn } from '../../circuit/compare.js';
import { ofCircuit } from './of-circuit.js';
import type { Criterion } from './types.js';

/** How many nodes its edges touch. */
export const nodes: Criterion = {
  key: 'nodes',
  title: 'nodes',
  reference: 'minimality, Wang et al. 2022, arXiv:2211.00593',
  unit: '',
  counts: true,
  needs: ofCircuit.needs,
  run: ({ universe, circuit }) => {
    const inside = nodesIn(universe, circuit);
    const kinds = universe.senders.filter((_, node) => inside[node] === 1).map(({ kind }) => kind);
    const count = (kind: string): number => kinds.filter((one) => one === kind).length;
    return ofCircuit.found(
      kinds.length + 1,
      `${count('head')} heads, ${count('mlp')} MLPs, the input and the logits among them`,
    );
  },
};
