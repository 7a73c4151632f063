/** Masks learned: the loss under masks that are drawn anew at every update, and what open masks cost. */
import type { ChunkPlan } from '../../../engine/core/chunks.js';
import type { Runtime, Tensor, Tensors } from '../../../runtime/types.js';
import { seeded, type Random } from '../../../task/random.js';
import { noising } from '../collect.js';
import { heldFor, heldMetric } from '../held.js';
import type { EdgesContext } from '../types.js';
import { adamCorrections, openProbability, updateProgram } from './hard-concrete.js';
import { planMinibatches } from './minibatches.js';
import { withMaskedModel, type MaskedBatch } from './model.js';
import type { MaskSetting } from './setting.js';

export interface Units {
  /** how many masks there are */
  readonly count: number;
  /** [edge] which mask is its; `count` where the edge is never masked */
  readonly ofEdge: Int32Array;
}

/** What open masks cost: ∂ loss / ∂ expected number of open masks, given that number before the update t = 1, 2, … */
export type Penalty = (size: number, t: number) => number;

export interface Learned {
  /** [unit] probability that the mask is open */
  readonly open: Float64Array;
  readonly plan: ChunkPlan;
}

/** log α at first: open with a probability of 0.97. */
const START = 2;

/**
 * The same seed on the same runtime and machine learns the same masks. Cost: 2 forward and 1 backward passes over a minibatch
 * for each update, and 2 forward passes.
 */
export async function learnMasks(
  context: EdgesContext,
  { units, setting, penalty }: { units: Units; setting: MaskSetting; penalty: Penalty },
): Promise<Learned> {
  const { engine, examples, signal, onProgress } = context;
  const holds = heldFor(context.metric, setting.holds);
  const asked = { ...noising(context), metric: heldMetric(context.metric, holds) };
  const { batches, plan } = planMinibatches(engine, examples);
  return withMaskedModel(engine, batches, asked, async (models) => {
    const random = seeded(setting.seed);
    const learner = await openLearner(engine.runtime, units, random);
    try {
      let queue: MaskedBatch[] = [];
      for (let t = 1; t <= setting.updates; t++) {
        signal.throwIfAborted();
        if (queue.length === 0) queue = random.shuffled(models);
        const batch = queue.pop() as MaskedBatch;
        const { value, gradient } = await batch.run(learner.mask());
        const share = (value.length * models.length) / examples.length; // every pair weighs the same, in batches large and small
        const slope = share * LOSSES[holds](value, batch);
        await learner.update({ gradient, slope, penalty: penalty(learner.size(), t), rate: setting.rate, t });
        gradient.dispose();
        onProgress(t, setting.updates);
      }
      return { open: (await learner.logAlpha()).map(openProbability), plan };
    } finally {
      await learner.dispose();
    }
  });
}

/** ∂ loss / ∂ mean metric of the masked model on a batch. */
type Slope = (value: Float64Array, batch: MaskedBatch) => number;

const LOSSES: { readonly [Holds in MaskSetting['holds']]: Slope } = {
  /** the metric is −KL from the clean run */
  kl: () => -1,
  /** (1 − faithfulness)² */
  metric: (value, { clean, corrupt }) => {
    const range = meanOf(clean) - meanOf(corrupt);
    return range === 0 ? 0 : (2 * (meanOf(value) - meanOf(clean))) / range ** 2;
  },
};

const meanOf = (values: Float64Array): number => values.reduce((sum, x) => sum + x, 0) / values.length;

interface Update {
  /** of the mean metric, [edges] */
  readonly gradient: Tensor;
  /** of the loss in that mean */
  readonly slope: number;
  readonly penalty: number;
  readonly rate: number;
  readonly t: number;
}

interface Learner {
  /** [edges], drawn with the noise of the update to come */
  mask(): Tensor;
  /** expected number of open masks */
  size(): number;
  update(by: Update): Promise<void>;
  logAlpha(): Promise<Float64Array>;
  dispose(): Promise<void>;
}

async function openLearner(runtime: Runtime, { count, ofEdge }: Units, random: Random): Promise<Learner> {
  const kernel = await runtime.prepare(updateProgram(count, ofEdge.length), { unit: ofEdge });
  const vector = (value: () => number, length = count): Tensor =>
    runtime.tensor(Float32Array.from({ length }, value), [length]);
  const scalar = (value: number): Tensor => runtime.tensor(Float32Array.of(value), []);
  const noise = (): Tensor => vector(() => logistic(random));
  let state: Tensors = { parameters: vector(() => START), first: vector(() => 0), second: vector(() => 0) };
  let [now, size] = [noise(), 0];
  let mask: Tensor | undefined;
  const update = async ({ gradient, slope, penalty, rate, t }: Update): Promise<void> => {
    const [correction1, correction2] = adamCorrections(t);
    const next = noise();
    const scalars = { slope, penalty, rate, correction1, correction2 };
    const given = Object.fromEntries(Object.entries(scalars).map(([name, value]) => [name, scalar(value)]));
    const inputs = { ...state, ...given, noise: now, 'noise.next': next, 'metric.gradient': gradient };
    const { mask: drawn, size: expected, ...after } = await kernel.run(inputs);
    dispose([...Object.values(state), ...Object.values(given), now, ...(mask ? [mask] : [])]);
    [state, now, mask] = [after, next, drawn];
    size = Number((await (expected as Tensor).read())[0]);
    (expected as Tensor).dispose();
  };
  const nothing = vector(() => 0, ofEdge.length);
  await update({ gradient: nothing, slope: 0, penalty: 0, rate: 0, t: 1 }); // draws the first masks
  nothing.dispose();
  return {
    mask: () => mask as Tensor,
    size: () => size,
    update,
    logAlpha: async () => Float64Array.from(await (state['parameters'] as Tensor).read()),
    dispose: async () => {
      dispose([...Object.values(state), now, mask as Tensor]);
      await kernel.dispose();
    },
  };
}

const dispose = (tensors: readonly Tensor[]): void => {
  for (const tensor of tensors) tensor.dispose();
};

const STEPS = 2 ** 30;

/** logit u, u uniform in (0, 1). */
function logistic(random: Random): number {
  const u = random.between(1, STEPS - 1) / STEPS;
  return Math.log(u / (1 - u));
}
