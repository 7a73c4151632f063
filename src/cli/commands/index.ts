/** Every command, in the order of the help. */
import type { CliCommand } from '../command.js';
import { discover } from './discover.js';

export const COMMANDS: readonly CliCommand[] = [discover];
