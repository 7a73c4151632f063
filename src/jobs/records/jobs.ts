/** Which job leaves which folder behind; a new record is a line here. */
import type { JobOptions, JobResult } from '../job.js';

/** `never`: what a job is asked stands in its record, and the job itself refuses what it does not know. */
export type RecordedJob = (request: never, options?: JobOptions) => Promise<JobResult<object>>;

/** By the key of the folder. */
export const RECORDED_JOBS: Readonly<Record<string, () => Promise<RecordedJob>>> = {
  report: async () => (await import('../discover/discover.js')).discover,
  evaluation: async () => (await import('../circuits/evaluate.js')).evaluate,
  patching: async () => (await import('../interventions/patch.js')).patch,
  nodes: async () => (await import('../attribution/nodes.js')).nodes,
  hops: async () => (await import('../interventions/trace.js')).trace,
  tracing: async () => (await import('../interventions/causal-trace.js')).causalTrace,
  scrubbing: async () => (await import('../interventions/scrub.js')).scrub,
  steering: async () => (await import('../interventions/steer.js')).steer,
  tokens: async () => (await import('../attribution/tokens.js')).tokens,
};
