import type { Layout } from '../../circuit/layout.js';
import type { Circuit } from '../../circuit/types.js';
import type { EdgeMethod } from '../../attribution/edges/index.js';
import type { Options } from '../../attribution/options.js';
import type { Attribution } from '../../attribution/edges/types.js';
import type { Capability } from '../../evaluation/capability.js';
import type { Evaluation } from '../../evaluation/evaluate.js';
import type { TaskFile } from '../../task/schema.js';
import type { CheckedTask } from '../../task/types.js';
import type { Diagnosis } from './diagnose.js';
import type { Rehearsal } from '../../engine/core/rehearse.js';
import type { Minimal } from './minimise.js';
import type { Finer } from './positions-and-neurons.js';
import type { DiscoverRequest } from './request.js';
import type { OpenedSource } from './source.js';
import type { Stages } from '../stages.js';
import type { Workbench } from '../workbench.js';

/** Everything that was found, before it is put into a record. */
export interface Findings {
  readonly bench: Workbench;
  readonly request: DiscoverRequest;
  readonly task: CheckedTask;
  readonly file: TaskFile;
  readonly method: EdgeMethod;
  readonly options: Options;
  readonly capability: Capability;
  /** how what cut edges read was made */
  readonly ablation: OpenedSource['record'];
  readonly attribution: Attribution;
  /** what the method was to hold, estimated before it began */
  readonly memory: Rehearsal;
  /** the one that was chosen, or what backward elimination left of it */
  readonly circuit: Circuit;
  /** edges whose exact effect was measured, strongest first, and their effects [edge][example] */
  readonly strongest: readonly number[];
  readonly effects: readonly Float64Array[];
  /** of positions and neurons, where they were asked for */
  readonly finer: Finer;
  /** among edges that were not measured, where that was asked for */
  readonly missed: Diagnosis | null;
  readonly random: readonly Circuit[];
  /** the circuit, then the random ones, on the report split */
  readonly evaluated: Evaluation;
  readonly minimal: Minimal | null;
  readonly layout: Layout;
  readonly stages: Stages;
}
