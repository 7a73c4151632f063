/** The model with its cut edges reading constants, run on batches: the metric and its gradient at the constants. */
import type { PlannedBatch } from '../../../engine/core/batches.js';
import type { Engine } from '../../../engine/core/engine.js';
import { learnedPositions } from '../../../engine/model-run/prompts.js';
import type { Tensor } from '../../../runtime/types.js';
import type { MetricKey } from '../../../task/types.js';
import { withWholeModel, type WholeBatch } from '../whole-model.js';
import type { Layout } from './layout.js';
import { constantModel } from './program.js';

export interface ConstantRun {
  /** the metric of each example */
  readonly value: Float64Array;
  /** of its mean over the examples, [size] */
  readonly gradient: Float64Array;
}

export interface ConstantBatch {
  /** how many */
  readonly examples: number;
  /** constants [size], masks [edges]: 0 where an edge reads a constant */
  run(constants: Float64Array, mask: Tensor): Promise<ConstantRun>;
}

/** Cost: two forward passes; and 2 forward and 1 backward per run. */
export function withConstantModel<T>(
  engine: Engine,
  batches: readonly PlannedBatch[],
  { layout, metric }: { readonly layout: Layout; readonly metric: MetricKey },
  work: (batches: readonly ConstantBatch[]) => Promise<T>,
): Promise<T> {
  const asked = { metric, direction: 'noising' } as const;
  const given: Parameters<typeof withWholeModel>[2] = {
    asked,
    model: constantModel(engine.arithmetic, engine.universe, layout),
    inputs: async ({ bound: { batch, base } }, arena) => {
      const values = await learnedPositions(engine, batch.length);
      const positions = engine.runtime.tensor(values, [batch.length, engine.model.config.dModel]);
      return { input: base.pre[0] as Tensor, positions: arena.own(positions) };
    },
  };
  return withWholeModel(engine, batches, given, (opened) => work(opened.map((batch) => constantBatch(engine, batch))));
}

const constantBatch = (engine: Engine, { clean, run }: WholeBatch): ConstantBatch => ({
  examples: clean.length,
  run: async (constants, mask) => {
    const tensor = engine.runtime.tensor(engine.precise(constants), [constants.length]);
    const { value, gradient } = await run({ constants: tensor, 'edge.mask': mask });
    const values = Float64Array.from(await gradient.read());
    for (const one of [tensor, gradient]) one.dispose();
    return { value, gradient: values };
  },
});
