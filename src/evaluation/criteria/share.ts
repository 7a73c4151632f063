/** Shares of the gap between the clean and the corrupt run. */
import { bootstrapInterval } from '../statistics/bootstrap.js';
import { faithfulness, type CircuitMetrics } from '../faithfulness.js';
import type { Finding } from './types.js';

/** (circuit − corrupt) / (clean − corrupt) of means over the pairs at some places; NaN where clean and corrupt do not differ. */
export const gapShareAt = (
  { clean, corrupt }: CircuitMetrics,
  circuit: Float64Array,
  places: ArrayLike<number>,
): number => {
  let [top, range] = [0, 0];
  for (let i = 0; i < places.length; i++) {
    const place = places[i] as number;
    top += (circuit[place] as number) - (corrupt[place] as number);
    range += (clean[place] as number) - (corrupt[place] as number);
  }
  return top / range;
};

/** An interval over pairs that are all alike has no width, but for rounding, and says nothing of other pairs. */
export const alike = ({ value, low, high, count }: Omit<Finding, 'note'>): string | null =>
  value !== null && low !== null && high !== null && high - low <= 1e-6 * Math.abs(value)
    ? `the same for all ${count} pairs: the interval has no width`
    : null;

/** The share that the first circuit keeps, with its bootstrap interval over pairs. */
export function gapShare(values: CircuitMetrics): Finding {
  const circuit = values.circuits[0] as Float64Array;
  const value = faithfulness({ ...values, circuit });
  const interval = bootstrapInterval(circuit.length, (places) => gapShareAt(values, circuit, places));
  const { low, high } = (value === null ? null : interval) ?? { low: null, high: null };
  const count = circuit.length;
  const note = value === null ? 'clean and corrupt do not differ' : alike({ value, low, high, count });
  return { value, low, high, count, note };
}
