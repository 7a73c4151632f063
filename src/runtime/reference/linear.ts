import { broadcastIndex, float } from './array.js';
import type { PlainEvaluate } from './types.js';

/** [… m, k] · [… k, n], row of `a` by row of `b`, so that the inner loop runs along memory. */
export const matmul: PlainEvaluate = ([a, b], { shape }) => {
  const [m, k] = a!.shape.slice(-2) as [number, number];
  const n = b!.shape.at(-1)!;
  const batch = shape.slice(0, -2);
  const fromA = broadcastIndex(a!.shape.slice(0, -2), batch);
  const fromB = broadcastIndex(b!.shape.slice(0, -2), batch);
  const result = float(shape);
  fromA.forEach((_, i) => {
    const left = a!.data.subarray(fromA[i]! * m * k) as Float64Array;
    const right = b!.data.subarray(fromB[i]! * k * n) as Float64Array;
    addProduct(result.data.subarray(i * m * n), left, right, { m, k, n });
  });
  return result;
};

interface Sizes {
  readonly m: number;
  readonly k: number;
  readonly n: number;
}

function addProduct(out: Float64Array, a: Float64Array, b: Float64Array, { m, k, n }: Sizes): void {
  for (let row = 0; row < m; row++)
    for (let inner = 0; inner < k; inner++) {
      const factor = a[row * k + inner]!;
      for (let column = 0; column < n; column++) out[row * n + column]! += factor * b[inner * n + column]!;
    }
}
