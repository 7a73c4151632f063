import { gapShare } from './share.js';
import type { Criterion } from './types.js';

/** (circuit − corrupt) / (clean − corrupt): 0 = as the corrupt run, 1 = as the model, above 1 = edges that hurt were cut. */
export const faithfulness: Criterion = {
  key: 'faithfulness',
  title: 'faithfulness',
  reference: 'Wang et al. 2022, arXiv:2211.00593; of means, as MIB has it: Mueller et al. 2025, arXiv:2504.13151',
  unit: '',
  needs: ({ circuit, metric }) => ({ metric, circuits: [circuit] }),
  run: (_, values) => gapShare(values),
};
