import { sizeOf } from '../bind.js';
import { copyStrided, denseStrides } from '../strided.js';

/** Values in C order: float64, or int32 for indices. */
export interface NdArray {
  readonly shape: readonly number[];
  readonly data: Float64Array | Int32Array;
}

export const float = (shape: readonly number[], data: Float64Array = new Float64Array(sizeOf(shape))): FloatArray => ({
  shape,
  data,
});

export interface FloatArray extends NdArray {
  readonly data: Float64Array;
}

const likeSource = (data: NdArray['data'], size: number): NdArray['data'] =>
  data instanceof Int32Array ? new Int32Array(size) : new Float64Array(size);

/** The elements of a strided view of `x`, copied. */
export const strided = (x: NdArray, shape: readonly number[], strides: readonly number[], offset = 0): NdArray => ({
  shape,
  data: copyStrided(x.data as Float64Array, likeSource(x.data, sizeOf(shape)) as Float64Array, {
    shape,
    strides,
    offset,
  }),
});

/** Numpy's broadcasting to a shape that is known to fit. */
export function expand(x: NdArray, shape: readonly number[]): NdArray {
  const extra = shape.length - x.shape.length;
  if (extra === 0 && shape.every((size, i) => size === x.shape[i])) return x;
  const dense = denseStrides(x.shape);
  const strides = shape.map((_, i) => (i < extra || x.shape[i - extra] === 1 ? 0 : dense[i - extra]!));
  return strided(x, shape, strides);
}

/** For each element of `shape`, the flat index of the element of `from` that broadcasts to it. */
export const broadcastIndex = (from: readonly number[], shape: readonly number[]): NdArray['data'] =>
  expand({ shape: from, data: Int32Array.from({ length: sizeOf(from) }, (_, i) => i) }, shape).data;
