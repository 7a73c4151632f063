/** One step of Adam on a vector of numbers. */
import { adam, ADAM, corrections, type AdamOptions } from '../../../train/adam.js';
import * as p from '../../../program/index.js';
import type { Kernel, Runtime, Tensors } from '../../../runtime/types.js';

/** Constants neither decay nor need their gradient shortened. */
const OPTIONS: AdamOptions = { ...ADAM, decay: 0, clip: 1e6 };

export interface Descent {
  /** the next parameters; to be called with t = 1, 2, … */
  step(gradient: Float64Array, at: { readonly rate: number; readonly t: number }): Promise<Float64Array>;
  dispose(): Promise<void>;
}

/** Starts from zeros. */
export async function openDescent(runtime: Runtime, size: number): Promise<Descent> {
  const kernel = await runtime.prepare(updateProgram(size), {});
  let state = zeros(runtime, size);
  return {
    step: async (gradient, { rate, t }) => {
      state = await next(runtime, kernel, { state, gradient, rate, t });
      return Float64Array.from(await state['parameters']!.read());
    },
    dispose: async () => {
      disposeAll(state);
      await kernel.dispose();
    },
  };
}

function updateProgram(size: number): p.Program {
  const vector = (name: string): p.Value => p.input(name, [size]);
  const scalar = (name: string): p.Value => p.input(name, []);
  const state = { parameters: vector('parameters'), first: vector('first'), second: vector('second') };
  const decays = p.broadcast(p.literal(0), [size]);
  const step = {
    ...{ gradient: vector('gradient'), decays, rate: scalar('rate') },
    corrections: [scalar('correction1'), scalar('correction2')] as const,
  };
  return p.makeProgram('constant update', { ...adam(state, step, OPTIONS) });
}

const zeros = (runtime: Runtime, size: number): Tensors =>
  Object.fromEntries(
    ['parameters', 'first', 'second'].map((name) => [name, runtime.tensor(new Float32Array(size), [size])]),
  );

async function next(
  runtime: Runtime,
  kernel: Kernel,
  { state, gradient, rate, t }: { state: Tensors; gradient: Float64Array; rate: number; t: number },
): Promise<Tensors> {
  const [correction1, correction2] = corrections(OPTIONS, t);
  const scalars = Object.entries({ rate, correction1, correction2 });
  const given = {
    gradient: runtime.tensor(Float32Array.from(gradient), [gradient.length]),
    ...Object.fromEntries(scalars.map(([name, value]) => [name, runtime.tensor(Float32Array.of(value), [])])),
  };
  const after = await kernel.run({ ...state, ...given });
  disposeAll({ ...state, ...given });
  return after;
}

const disposeAll = (tensors: Tensors): void => {
  for (const tensor of Object.values(tensors)) tensor.dispose();
};
