/** Which runtimes work on this machine, found out by using them. */
import { execFile, type ExecFileException } from 'node:child_process';
import { input, makeProgram, matmul, parameter } from '../program/index.js';
import { firstLine } from './peer.js';
import { RUNTIMES, type RuntimeEntry } from './registry.js';
import type { Runtime, RuntimeProbe } from './types.js';

/** Long enough for a large native library on a slow disk; one that hangs is given up. */
const PATIENCE_MS = 60_000;
const MARK = 'thevenin-probe:';

/** Flags by which this process learnt to load our modules; a child needs them too, and no others (such as -e). */
const LOADER_FLAG = /^(--import|--require|-r|--loader|--experimental-loader|--conditions|-C)(=|$)/;

const loaderFlags = (flags: readonly string[]): string[] =>
  flags.filter((flag, i) => {
    const before = flags[i - 1] ?? '';
    return LOADER_FLAG.test(flag) || (LOADER_FLAG.test(before) && !before.includes('='));
  });

/** All runtimes, in the order of preference. Never throws, whatever a broken package does: each is tried in a process of its own. */
export const probeRuntimes = (): Promise<RuntimeProbe[]> => Promise.all(RUNTIMES.map(probe));

/** One runtime, in a process of its own unless it is plainly absent: a broken native library may print, hang or crash. */
export async function probe(entry: RuntimeEntry): Promise<RuntimeProbe> {
  const { key } = entry;
  const missing = entry.missing();
  if (missing !== null) return { key, works: false, onGpu: false, note: missing };
  const code = `import { tryRuntime } from ${JSON.stringify(import.meta.url)};
    const found = await tryRuntime(${JSON.stringify(key)});
    process.stdout.write('\\n${MARK}' + JSON.stringify(found) + '\\n', () => process.exit());`;
  const options = { timeout: PATIENCE_MS, killSignal: 'SIGKILL', maxBuffer: 1 << 26 } as const;
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [...loaderFlags(process.execArgv), '--input-type=module', '-e', code],
      options,
      (error, stdout) => {
        const answer = stdout.split('\n').find((line) => line.startsWith(MARK));
        if (answer !== undefined) resolve(JSON.parse(answer.slice(MARK.length)) as RuntimeProbe);
        else
          resolve({
            key,
            works: false,
            onGpu: false,
            note: `${key} brings its process down (${howItEnded(error)}): reinstall its packages`,
          });
      },
    );
  });
}

function howItEnded(error: ExecFileException | null): string {
  if (error?.killed) return `no answer in ${PATIENCE_MS / 1000} s`;
  return error?.signal ?? `exit ${error?.code ?? 0}`;
}

/** Creates a runtime in this process and multiplies two small matrices with it. Never throws. */
export async function tryRuntime(key: string): Promise<RuntimeProbe> {
  const entry = RUNTIMES.find((one) => one.key === key);
  try {
    const runtime = await entry!.create({ threads: 0 });
    const product = await multiply(runtime);
    await runtime.dispose();
    const { title, onGpu = false } = runtime.info;
    if (product !== 11)
      return {
        key,
        works: false,
        onGpu,
        note: `${title} computes ${product} where 11 is right: reinstall its packages`,
      };
    const hint = onGpu ? undefined : entry!.withoutGpu;
    return { key, works: true, onGpu, note: hint === undefined ? title : `${title}; ${hint}` };
  } catch (error) {
    return { key, works: false, onGpu: false, note: firstLine(error) };
  }
}

/** [1, 2] · [3, 4]ᵀ */
async function multiply(runtime: Runtime): Promise<number | undefined> {
  const program = makeProgram('probe', { product: matmul(input('x', ['rows', 2]), parameter('w', [2, 1])) });
  const kernel = await runtime.prepare(program, { w: Float32Array.of(3, 4) });
  const x = runtime.tensor(Float32Array.of(1, 2), [1, 2]);
  const { product } = await kernel.run({ x });
  const [value] = await product!.read();
  for (const tensor of [x, product!]) tensor.dispose();
  return value;
}
