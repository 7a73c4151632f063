import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { median, timed } from '../measure.js';
import type { ProcessRow } from '../types.js';

const REPEATS = { quick: 3, full: 9 };

/** From nothing to the end of `--help`, and to the end of the library's import, node's own start included: the longer of the two. */
export const startUp: ProcessRow = {
  kind: 'process',
  name: 'import and CLI start to --help',
  limit: 0.3,
  unit: 's',
  async measure({ quick }) {
    const built = (path: string): string => fileURLToPath(new URL(`../../dist/${path}`, import.meta.url));
    const starts = [
      [built('cli/main.js'), '--help'],
      ['--input-type=module', '-e', `import ${JSON.stringify(built('index.js'))}`],
    ];
    const seconds: number[] = [];
    for (const start of starts) seconds.push(await medianStart(start, quick ? REPEATS.quick : REPEATS.full));
    return Math.max(...seconds);
  },
};

async function medianStart(start: readonly string[], repeats: number): Promise<number> {
  const run = (): Promise<unknown> => promisify(execFile)(process.execPath, start);
  await run();
  const seconds: number[] = [];
  for (let i = 0; i < repeats; i++) seconds.push(await timed(run));
  return median(seconds);
}
