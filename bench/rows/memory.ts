import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { ProcessRow } from '../types.js';

/** The peak of a fresh process that loads the model and runs EAP once. */
export const memory: ProcessRow = {
  kind: 'process',
  name: 'peak memory of EAP',
  limit: 1.5,
  unit: 'GiB',
  async measure() {
    const script = fileURLToPath(new URL('../eap-once.ts', import.meta.url));
    const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', script]);
    return Number(stdout) / 2 ** 20;
  },
};
