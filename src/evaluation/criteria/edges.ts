import { countIn } from '../../circuit/prune.js';
import { ofCircuit } from './of-circuit.js';
import type { Criterion } from './types.js';

/** How many edges the circuit has. */
export const edges: Criterion = {
  key: 'edges',
  title: 'edges',
  reference: 'minimality, Wang et al. 2022, arXiv:2211.00593',
  unit: '',
  counts: true,
  needs: ofCircuit.needs,
  run: ({ universe, circuit }) => {
    const count = countIn(circuit);
    return ofCircuit.found(count, `${((100 * count) / universe.edgeCount).toPrecision(3)} % of ${universe.edgeCount}`);
  },
};
