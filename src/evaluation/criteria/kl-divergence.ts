import { taskMetric } from '../../task/metrics.js';
import { estimateMean } from '../statistics/intervals.js';
import { alike } from './share.js';
import type { Criterion } from './types.js';

/** Mean KL(model ‖ circuit) of the output on the clean prompts: what faithfulness, which sees the answers alone, does not see. */
export const klDivergence: Criterion = {
  key: 'kl-divergence',
  title: 'KL divergence from the model',
  reference: 'Conmy et al. 2023, arXiv:2304.14997',
  unit: 'nats',
  // a model that puts out a number has no distribution
  needs: ({ circuit, metric }) =>
    taskMetric(metric).target === 'required' ? null : { metric: 'kl-divergence', circuits: [circuit] },
  run: (_, { circuits, corrupt }) => {
    const { mean, low, high, count } = estimateMean((circuits[0] as Float64Array).map((value) => 0 - value));
    const floor = estimateMean(corrupt).mean;
    const same = alike({ value: mean, low, high, count });
    const note = [`with every edge cut: ${(0 - floor).toPrecision(3)}`, ...(same === null ? [] : [same])].join('; ');
    return { value: mean, low, high, count, note };
  },
};
