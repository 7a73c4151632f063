import type { Criterion, Finding } from './types.js';

/** What properties of the circuit alone share: nothing has to be run, and there is no interval over pairs. */
export const ofCircuit = {
  needs: ({ metric }) => ({ metric, circuits: [] }),
  found: (value: number, note: string): Finding => ({ value, low: null, high: null, count: 0, note }),
} satisfies Pick<Criterion, 'needs'> & { found(value: number, note: string): Finding };
