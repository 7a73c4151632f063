/** `npm run train -- induction|ioi [--steps N] [--seed N] [--threads N] [--out DIR]` */
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { refuse, TheveninError } from '../errors.js';
import { createOnnxRuntime } from '../runtime/onnx/index.js';
import { make } from './make.js';
import { RECIPES } from './recipes/index.js';

const USAGE = `npm run train -- ${RECIPES.map(({ key }) => key).join('|')} [--steps N] [--seed N] [--threads N] [--out DIR]`;
const MODELS = fileURLToPath(new URL('../../models/', import.meta.url));
const REPORT_EVERY = 100;
/** One: with more, sums are split otherwise, and the weights differ in their last bits. */
const THREADS = 1;

async function main(args: readonly string[]): Promise<void> {
  const { values, positionals } = readArguments(args);
  const recipe =
    RECIPES.find(({ key }) => key === positionals[0]) ?? usage(`unknown model ${positionals[0] ?? '(none)'}`);
  const whole = (name: 'steps' | 'seed' | 'threads', otherwise: number): number => {
    const text = values[name];
    if (text === undefined) return otherwise;
    return /^\d+$/.test(text) ? Number(text) : usage(`--${name} ${text} is not a whole number`);
  };
  const schedule = {
    ...recipe.schedule,
    steps: whole('steps', recipe.schedule.steps),
    seed: whole('seed', recipe.schedule.seed),
  };
  const runtime = await createOnnxRuntime({ threads: whole('threads', THREADS) });
  const folder = values.out ?? `${MODELS}${recipe.key}`;
  const { seconds, figures } = await make(runtime, recipe, {
    schedule,
    folder,
    onStep: ({ step, loss }) => {
      if (step % REPORT_EVERY === 0 || step === schedule.steps)
        process.stderr.write(`step ${step}/${schedule.steps}  ${loss.toFixed(4)} nats\n`);
    },
  });
  await runtime.dispose();
  process.stdout.write(`${JSON.stringify(figures, null, 1)}\nwritten to ${folder} after ${seconds} s of training\n`);
}

const usage = (problem: string): never => refuse('cli/usage', `${problem}; expected ${USAGE}`);

function readArguments(args: readonly string[]) {
  try {
    const text = { type: 'string' } as const;
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { steps: text, seed: text, threads: text, out: text },
    });
  } catch (error) {
    return usage((error as Error).message);
  }
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof TheveninError)) throw error;
  process.stderr.write(`${error.message} (${error.code})\n`);
  process.exitCode = error.exit;
}
