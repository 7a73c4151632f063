/** Runs the command line as a user does: as a process of its own. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
const TSX = import.meta.resolve('tsx');

export interface Finished {
  /** null when a signal ended it */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

interface CliOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** send SIGINT as soon as this appears on standard error or output */
  readonly interruptAt?: string | RegExp;
}

export const runCli = (words: readonly string[], options: CliOptions = {}): Promise<Finished> =>
  new Promise((resolve, reject) => {
    const { cwd = ROOT, env = {}, interruptAt } = options;
    const child = spawn(process.execPath, ['--import', TSX, MAIN, ...words], {
      cwd,
      env: { ...process.env, NO_COLOR: '1', FORCE_COLOR: '', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let [stdout, stderr, interrupted] = ['', '', false];
    const interrupt = (): void => {
      if (interrupted || interruptAt === undefined || (stdout + stderr).search(interruptAt) < 0) return;
      interrupted = true;
      child.kill('SIGINT');
    };
    child.stdout.on('data', (chunk: Buffer) => ((stdout += chunk.toString()), interrupt()));
    child.stderr.on('data', (chunk: Buffer) => ((stderr += chunk.toString()), interrupt()));
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, stdout, stderr }));
  });
