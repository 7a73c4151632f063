import { sizeOf } from '../bind.js';
import { repeatTo } from './axes.js';
import type { LoadedBackend, TfTensor } from './types.js';

/**
 * numpy's matmul on kernels that know batches of equal size, or of one.
 * @param operands a [… m, k] and b [… k, n]
 * @param shape of the product, [… m, n]
 */
export function multiply(
  { tf, broadcastsBatches }: LoadedBackend,
  operands: readonly [TfTensor, TfTensor],
  shape: readonly number[],
): TfTensor {
  const [a, b] = operands;
  const [k, n] = b.shape.slice(-2) as [number, number];
  const batch = shape.slice(0, -2);
  if (sizeOf(b.shape) === k * n) {
    // every batch has the same right side, a weight: rows of all batches in one product
    return tf.reshape(tf.matMul(tf.reshape(a, [-1, k]), tf.reshape(b, [k, n])), [...shape]);
  }
  const whole = sizeOf(batch);
  const [ofA, ofB] = [a, b].map((one) => sizeOf(one.shape.slice(0, -2))) as [number, number];
  const fits = (ofA === whole || ofA === 1) && ofB === whole;
  if (!fits && broadcastsBatches) return tf.matMul(a, b);
  const stack = (x: TfTensor, size: number): TfTensor => {
    const matrix = x.shape.slice(-2);
    const full = fits ? x : repeatTo(tf, x, [...batch, ...matrix]);
    return tf.reshape(full, [fits ? size : whole, ...matrix]);
  };
  return tf.reshape(tf.matMul(stack(a, ofA), stack(b, ofB)), [...shape]);
}
