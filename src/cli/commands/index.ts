/** Every command, in the order of the help. */
import type { CliCommand } from '../command.js';
import { discover } from './discover.js';
import { models } from './models.js';
import { tasks } from './tasks.js';
import { validate } from './validate.js';

export const COMMANDS: readonly CliCommand[] = [discover, models, tasks, validate];
