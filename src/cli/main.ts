#!/usr/bin/env node
import { runCommandLine } from './shell.js';

// `thevenin models | head` closes our output early: that is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

const code = await runCommandLine(process.argv.slice(2));
// A runtime's idle threads must not keep a finished command alive; the empty write waits for what is still buffered.
process.stdout.write('', () => process.exit(code));
