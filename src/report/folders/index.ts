/** The registry of what runs leave behind. A new record is a file here and a line below. */
import { EVALUATION } from './evaluation.js';
import { HOPS } from './hops.js';
import { NODES } from './nodes.js';
import { PATCHING } from './patching.js';
import { REPORT } from './report.js';
import { SCRUBBING } from './scrubbing.js';
import { STEERING } from './steering.js';
import { TOKENS } from './tokens.js';
import { TRACING } from './tracing.js';
import type { RunFolder } from './types.js';

/** `never`: which record it is stands fixed once a schema has been held to it, and not before. */
export const RUN_FOLDERS: readonly RunFolder<never>[] = [
  REPORT,
  EVALUATION,
  PATCHING,
  NODES,
  HOPS,
  TRACING,
  SCRUBBING,
  STEERING,
  TOKENS,
];
