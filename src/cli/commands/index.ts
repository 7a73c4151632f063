/** Every command, in the order of the help. */
import type { CliCommand } from '../command.js';
import { causalTrace } from './interventions/causal-trace.js';
import { evaluate } from './circuits/evaluate.js';
import { compare } from './circuits/compare.js';
import { demo } from './discovery/demo.js';
import { discover } from './discovery/discover.js';
import { doctor } from './inspect/doctor.js';
import { importCommand } from './circuits/import.js';
import { models } from './models.js';
import { nodes } from './discovery/nodes.js';
import { patch } from './interventions/patch.js';
import { paths } from './interventions/paths.js';
import { predict } from './inspect/predict.js';
import { render } from './records/render.js';
import { rerun } from './records/rerun.js';
import { scrub } from './interventions/scrub.js';
import { steer } from './interventions/steer.js';
import { tasks } from './inspect/tasks.js';
import { tokens } from './discovery/tokens.js';
import { validate } from './inspect/validate.js';

export const COMMANDS: readonly CliCommand[] = [
  demo,
  discover,
  evaluate,
  compare,
  importCommand,
  patch,
  nodes,
  paths,
  causalTrace,
  scrub,
  steer,
  tokens,
  render,
  rerun,
  predict,
  doctor,
  models,
  tasks,
  validate,
];
