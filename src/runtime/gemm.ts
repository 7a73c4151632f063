import { input, makeProgram, matmul, parameter } from '../program/index.js';
import type { Runtime } from './types.js';

export interface GemmShape {
  readonly m: number;
  readonly k: number;
  readonly n: number;
  /** how long to measure */
  readonly seconds: number;
}

/** The MLP's product of a GPT-2-small block. */
export const TYPICAL_GEMM: GemmShape = { m: 256, k: 768, n: 3072, seconds: 0.5 };

/**
 * The rate of [m, k] · [k, n] with a constant right operand, as in a model's layers: the best of the repeats that fit in the
 * time, since whatever else the machine does only ever makes one slower.
 * @returns GFLOP/s, a multiplication and an addition counted as two
 */
export async function measureGemm(runtime: Runtime, { m, k, n, seconds }: GemmShape = TYPICAL_GEMM): Promise<number> {
  const product = matmul(input('a', ['m', k]), parameter('b', [k, n]));
  const kernel = await runtime.prepare(makeProgram('gemm', { product }), { b: new Float32Array(k * n).fill(0.5) });
  const a = runtime.tensor(new Float32Array(m * k).fill(0.5), [m, k]);
  const timeOnce = async (): Promise<number> => {
    const start = performance.now();
    const { product } = await kernel.run({ a });
    await product!.read();
    const elapsed = performance.now() - start;
    product!.dispose();
    return elapsed;
  };
  await timeOnce();
  let best = Infinity;
  for (const end = performance.now() + 1000 * seconds; performance.now() < end;)
    best = Math.min(best, await timeOnce());
  a.dispose();
  await kernel.dispose();
  return (2 * m * k * n) / best / 1e6;
}
