/** Every command, in the order of the help. */
import type { CliCommand } from '../command.js';
import { causalTrace } from './causal-trace.js';
import { demo } from './demo.js';
import { discover } from './discover.js';
import { doctor } from './doctor.js';
import { models } from './models.js';
import { nodes } from './nodes.js';
import { patch } from './patch.js';
import { predict } from './predict.js';
import { scrub } from './scrub.js';
import { steer } from './steer.js';
import { tasks } from './tasks.js';
import { tokens } from './tokens.js';
import { trace } from './trace.js';
import { validate } from './validate.js';

export const COMMANDS: readonly CliCommand[] = [
  demo,
  discover,
  patch,
  nodes,
  trace,
  causalTrace,
  scrub,
  steer,
  tokens,
  predict,
  doctor,
  models,
  tasks,
  validate,
];
