import { faithfulness, percentileAmong, type CircuitMetrics } from '../faithfulness.js';
import { bootstrapInterval } from '../statistics/bootstrap.js';
import { meanOf } from '../statistics/intervals.js';
import { gapShareAt } from './share.js';
import type { Criterion } from './types.js';

const percentileAt = (values: CircuitMetrics, places: ArrayLike<number>): number => {
  const [own, ...random] = values.circuits.map((circuit) => gapShareAt(values, circuit, places));
  return percentileAmong(own as number, random) as number;
};

/** How many random circuits of the same size are less faithful. */
export const percentile: Criterion = {
  key: 'percentile',
  title: 'percentile among random circuits of its size',
  reference: 'random circuits as the null hypothesis: Shi et al. 2024, arXiv:2410.13032',
  unit: '%',
  needs: ({ circuit, random, metric }) => (random.length === 0 ? null : { metric, circuits: [circuit, ...random] }),
  run: (_, values) => {
    const shares = values.circuits.map((circuit) => faithfulness({ ...values, circuit }));
    const [own, ...random] = shares.filter((share) => share !== null);
    const count = values.clean.length;
    if (own === undefined)
      return { value: null, low: null, high: null, count, note: 'clean and corrupt do not differ' };
    const interval = bootstrapInterval(count, (places) => percentileAt(values, places));
    const [mean, best] = [meanOf(random), Math.max(...random)].map((share) => share.toPrecision(3));
    const note = `random circuits: mean faithfulness ${mean}, best ${best} of ${random.length}`;
    return {
      value: percentileAmong(own, random),
      low: interval?.low ?? null,
      high: interval?.high ?? null,
      count,
      note,
    };
  },
};
