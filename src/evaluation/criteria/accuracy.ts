import { taskMetric } from '../../task/metrics.js';
import { estimateShare } from '../statistics/intervals.js';
import type { Criterion } from './types.js';

/** The share of pairs in which the circuit prefers the correct to the incorrect answers. */
export const accuracy: Criterion = {
  key: 'accuracy',
  title: 'pairs that the circuit gets right',
  reference: 'interval: Wilson 1927',
  unit: '%',
  needs: ({ circuit, metric }) =>
    taskMetric(metric).incorrect === 'required' ? { metric, circuits: [circuit] } : null,
  run: (_, { clean, circuits }) => {
    const right = (values: Float64Array): ReturnType<typeof estimateShare> =>
      estimateShare(values.map((value) => Number(value > 0)));
    const { mean, low, high, count } = right(circuits[0] as Float64Array);
    const percent = (share: number | null): number | null => (share === null ? null : 100 * share);
    const note = `the model: ${(100 * right(clean).mean).toPrecision(3)} %`;
    return { value: 100 * mean, low: percent(low), high: percent(high), count, note };
  },
};
