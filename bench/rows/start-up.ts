import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { median, timed } from '../measure.js';
import type { ProcessRow } from '../types.js';

const REPEATS = { quick: 3, full: 9 };

/** From nothing to the end of `--help`: node's own start included. */
export const startUp: ProcessRow = {
  kind: 'process',
  name: 'import and CLI start to --help',
  limit: 0.3,
  unit: 's',
  async measure({ quick }) {
    const script = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
    const start = (): Promise<unknown> => promisify(execFile)(process.execPath, [script, '--help']);
    await start();
    const seconds: number[] = [];
    for (let i = 0; i < (quick ? REPEATS.quick : REPEATS.full); i++) seconds.push(await timed(start));
    return median(seconds);
  },
};
