import { gapShare } from './share.js';
import type { Criterion } from './types.js';

/** The same share of the model with the circuit's edges cut: 0 = nothing is left, near 1 = the task is done a second way. */
export const complement: Criterion = {
  key: 'complement',
  title: 'left without the circuit',
  reference: 'completeness, Wang et al. 2022, arXiv:2211.00593',
  unit: '',
  needs: ({ circuit, metric }) => ({ metric, circuits: [circuit.map((inside) => 1 - inside)] }),
  run: (_, values) => gapShare(values),
};
