import type { Row } from '../types.js';
import { acdcOnIoi } from './acdc.js';
import { exactEdges, largeCircuit, smallCircuit } from './edges.js';
import { forward } from './forward.js';
import { atpStar, eap, eapIg, gradientOfSites, routes } from './gradients.js';
import { memory } from './memory.js';
import { everyGrid, heads, residual } from './patching.js';
import { startUp } from './start-up.js';

/** The table, in its order; a new row is a line here. */
export const ROWS: readonly Row[] = [
  forward,
  gradientOfSites,
  eap,
  eapIg,
  atpStar,
  routes,
  heads,
  residual,
  everyGrid,
  smallCircuit,
  largeCircuit,
  exactEdges,
  acdcOnIoi,
  memory,
  startUp,
];
