import { promptMetric } from '../../src/engine/model-run/forward.js';
import { input, makeProgram, matmul, parameter } from '../../src/program/index.js';
import type { Kernel, Tensor } from '../../src/runtime/types.js';
import type { BenchContext, TimedRow, Work } from '../types.js';
import { GPT2_SMALL, TOKENS } from '../workload.js';

/** The pass that all other rows are counted in. */
export const plainForward = async ({ workload, session }: BenchContext): Promise<Work> => ({
  run: () => promptMetric(workload.engine, workload.batch, { side: 'clean', judge: session.bound.judge }),
});

/** [k, n] of a layer's matrix products with weights: q k v, output, into the MLP, out of it. */
const { dModel, dMlp } = GPT2_SMALL;
const PRODUCTS: readonly (readonly [number, number])[] = [
  [dModel, 3 * dModel],
  [dModel, dModel],
  [dModel, dMlp],
  [dMlp, dModel],
];

/** The forward's matrix products alone, every layer's with weights of its own, one after the other. */
async function products({ workload: { engine } }: BenchContext): Promise<Work> {
  const calls: { kernel: Kernel; a: Tensor }[] = [];
  const inputs = new Map(
    PRODUCTS.map(([k]) => [k, engine.runtime.tensor(new Float32Array(TOKENS * k).fill(0.5), [TOKENS, k])]),
  );
  for (let layer = 0; layer < GPT2_SMALL.nLayers; layer++)
    for (const [k, n] of PRODUCTS) {
      const program = makeProgram('product', { product: matmul(input('a', ['tokens', k]), parameter('b', [k, n])) });
      const kernel = await engine.runtime.prepare(program, { b: new Float32Array(k * n).fill(0.5) });
      calls.push({ kernel, a: inputs.get(k) as Tensor });
    }
  return {
    async run() {
      for (const { kernel, a } of calls) (await kernel.run({ a }))['product']?.dispose();
    },
  };
}

export const forward: TimedRow = {
  kind: 'timed',
  name: 'plain forward, logits at the answer position',
  limit: 1 / 0.7,
  unit: '× its GEMMs',
  prepare: plainForward,
  beside: products,
};
