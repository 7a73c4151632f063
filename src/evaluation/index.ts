/** Is the circuit right? The registry of criteria; a new one is a file in criteria/ and a line here. */
import { accuracy } from './criteria/accuracy.js';
import { complement } from './criteria/complement.js';
import { faithfulness } from './criteria/faithfulness.js';
import { klDivergence } from './criteria/kl-divergence.js';
import { percentile } from './criteria/percentile.js';
import { edges } from './criteria/edges.js';
import { nodes } from './criteria/nodes.js';
import type { Criterion } from './criteria/types.js';

/** In the order of reports. */
export const CRITERIA: readonly Criterion[] = [
  faithfulness,
  percentile,
  accuracy,
  klDivergence,
  complement,
  edges,
  nodes,
];

export type { Criterion, Finding, Need, Subject } from './criteria/types.js';
