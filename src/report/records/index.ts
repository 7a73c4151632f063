/** Every record that is published with a schema: schemas/<key>.schema.json. A new one is a line here. */
import { HOPS_SCHEMA } from './hops.js';
import { NODES_SCHEMA } from './nodes.js';
import { PATCHING_SCHEMA } from './patching.js';
import { REPORT_SCHEMA } from './report.js';
import { STEERING_SCHEMA } from './steering.js';
import { TOKENS_SCHEMA } from './tokens.js';
import { TRACING_SCHEMA } from './tracing.js';

export const RECORD_SCHEMAS: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  report: REPORT_SCHEMA,
  nodes: NODES_SCHEMA,
  patching: PATCHING_SCHEMA,
  tracing: TRACING_SCHEMA,
  hops: HOPS_SCHEMA,
  steering: STEERING_SCHEMA,
  tokens: TOKENS_SCHEMA,
};
