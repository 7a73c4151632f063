/** What a criterion is. One criterion = one file here + one line in ../index.ts; evaluation, records and pages iterate over them. */
import type { Universe } from '../../circuit/types.js';
import type { MetricKey } from '../../task/types.js';
import type { CircuitMetrics } from '../faithfulness.js';

/** What is judged. */
export interface Subject {
  readonly universe: Universe;
  /** [edge] 1 = in the circuit */
  readonly circuit: Uint8Array;
  /** random circuits of as many edges; none where nobody asked for them */
  readonly random: readonly Uint8Array[];
  /** the task's */
  readonly metric: MetricKey;
}

/** Circuits that have to be run, and the metric that they are judged by. */
export interface Need {
  readonly metric: MetricKey;
  readonly circuits: readonly Uint8Array[];
}

/** What came out; the interval is the 95 % one over pairs. */
export interface Finding {
  /** null: undefined for these values */
  readonly value: number | null;
  readonly low: number | null;
  readonly high: number | null;
  /** how many pairs it is of; 0 where it is a property of the circuit alone */
  readonly count: number;
  /** what the figure alone does not say */
  readonly note: string | null;
}

export interface Criterion {
  readonly key: string;
  readonly title: string;
  readonly reference: string;
  /** what follows the figure; empty for a pure number */
  readonly unit: string;
  /** the figure is a number of things */
  readonly counts?: boolean;
  /** What has to be run for it, the same arrays as in the subject where they are meant; null: it says nothing of such a task. */
  needs(subject: Subject): Need | null;
  /** @param values of the circuits needed, in that order */
  run(subject: Subject, values: CircuitMetrics): Finding;
}
