/** The training loop: draw a batch, run the step program, carry the state on. */
import type { Runtime, Tensor } from '../runtime/types.js';
import { seeded, type Random } from '../task/random.js';
import { ADAM, corrections } from './adam.js';
import { batchTensors, type Batch } from './batch.js';
import type { Blueprint } from './forward.js';
import { initialParameters } from './parameters.js';
import { constantsFor, stepProgram } from './programs.js';

export interface Schedule {
  readonly steps: number;
  /** steps over which the learning rate rises to its peak; it then falls along a cosine */
  readonly warmup: number;
  /** the peak */
  readonly rate: number;
  /** what is left of it at the last step, as a share */
  readonly floor: number;
  readonly decay: number;
  readonly seed: number;
}

export interface TrainingRun {
  readonly blueprint: Blueprint;
  readonly schedule: Schedule;
  /** an endless stream of batches */
  readonly batches: (random: Random) => () => Batch;
}

export interface Progress {
  /** 1 … steps */
  readonly step: number;
  /** nats per token, of this step's batch before the step */
  readonly loss: number;
}

/** The learning rate at step t = 1, 2, … */
export function learningRate({ steps, warmup, rate, floor }: Schedule, t: number): number {
  if (t <= warmup) return (rate * t) / warmup;
  const along = (t - warmup) / Math.max(1, steps - warmup);
  return rate * (floor + (1 - floor) * 0.5 * (1 + Math.cos(Math.PI * along)));
}

type State = Record<'parameters' | 'first' | 'second', Tensor>;

/**
 * Trains from scratch. The same run on the same runtime and machine gives the same parameters, bit for bit.
 * @returns the flat vector of parameters, which `weightValues` takes apart
 */
export async function train(
  runtime: Runtime,
  run: TrainingRun,
  onStep: (progress: Progress) => void = () => undefined,
): Promise<Float32Array> {
  const { blueprint, schedule } = run;
  const random = seeded(schedule.seed);
  const options = { ...ADAM, decay: schedule.decay };
  const program = stepProgram(blueprint, options);
  const kernel = await runtime.prepare(program, constantsFor(program, blueprint));
  let state = initialState(runtime, initialParameters(blueprint, random));
  const next = run.batches(random);
  for (let step = 1; step <= schedule.steps; step++) {
    const [correction1, correction2] = corrections(options, step);
    const scalars = { rate: learningRate(schedule, step), correction1, correction2 };
    const given = { ...batchTensors(runtime, next()), ...scalarTensors(runtime, scalars) };
    const { loss, ...after } = (await kernel.run({ ...state, ...given })) as State & { loss: Tensor };
    disposeAll([...Object.values(state), ...Object.values(given)]);
    state = after;
    onStep({ step, loss: (await loss.read())[0] ?? NaN });
    loss.dispose();
  }
  const trained = Float32Array.from(await state.parameters.read());
  disposeAll(Object.values(state));
  await kernel.dispose();
  return trained;
}

function initialState(runtime: Runtime, parameters: Float32Array): State {
  const shape = [parameters.length];
  const zeros = (): Tensor => runtime.tensor(new Float32Array(parameters.length), shape);
  return { parameters: runtime.tensor(parameters, shape), first: zeros(), second: zeros() };
}

const scalarTensors = (runtime: Runtime, scalars: Readonly<Record<string, number>>): Record<string, Tensor> =>
  Object.fromEntries(Object.entries(scalars).map(([name, x]) => [name, runtime.tensor(Float32Array.of(x), [])]));

const disposeAll = (tensors: readonly Tensor[]): void => {
  for (const tensor of tensors) tensor.dispose();
};
