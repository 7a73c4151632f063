type Numbers = Float32Array | Float64Array | Int32Array;

export interface StridedView {
  readonly shape: readonly number[];
  /** how far apart neighbours along each axis lie in the source; 0 repeats, negative walks back */
  readonly strides: readonly number[];
  readonly offset?: number;
}

/** Writes the elements of a strided view in C order: transposition, broadcasting and slicing are all this. */
export function copyStrided<T extends Numbers>(source: T, into: T, { shape, strides, offset = 0 }: StridedView): T {
  const last = shape.length - 1;
  let at = 0;
  const walk = (axis: number, from: number): void => {
    const [size, stride] = [shape[axis]!, strides[axis]!];
    if (axis === last) for (let i = 0; i < size; i++) into[at++] = source[from + i * stride]!;
    else for (let i = 0; i < size; i++) walk(axis + 1, from + i * stride);
  };
  if (last < 0) into[0] = source[offset]!;
  else if (into.length > 0) walk(0, offset);
  return into;
}

/** C order: the last axis is dense. */
export function denseStrides(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length);
  let stride = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = stride;
    stride *= shape[axis]!;
  }
  return strides;
}
