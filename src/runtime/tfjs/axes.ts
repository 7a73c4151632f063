/** Shapes rewritten so that tfjs's kernels, which stop at rank 4 to 6 depending on op and backend, can take them. */
import { sizeOf } from '../bind.js';
import type { Tf, TfTensor } from './types.js';

/** Above this, axes are merged before an op is called. */
export const PLAIN_RANK = 4;

/** Sizes before, of and after an axis: any op along one axis is an op along the middle of three. */
export const aroundAxis = (shape: readonly number[], axis: number): [before: number, size: number, after: number] => [
  sizeOf(shape.slice(0, axis)),
  shape[axis] ?? 1,
  sizeOf(shape.slice(axis + 1)),
];

/** The shape with ones in front, up to a rank. */
const padRank = (shape: readonly number[], rank: number): number[] => [
  ...Array.from({ length: rank - shape.length }, () => 1),
  ...shape,
];

/** Runs of neighbouring axes 0 … rank-1; a new run begins wherever `continues` says no. */
export function runsOf(rank: number, continues: (axis: number) => boolean): number[][] {
  const runs: number[][] = [];
  for (let axis = 0; axis < rank; axis++) {
    const last = runs.at(-1);
    if (last && continues(axis)) last.push(axis);
    else runs.push([axis]);
  }
  return runs;
}

/** The sizes of merged axes. */
export const mergeSizes = (shape: readonly number[], runs: readonly (readonly number[])[]): number[] =>
  runs.map((run) => sizeOf(run.map((axis) => shape[axis] ?? 1)));

/** Which operands are repeated along which axes of `shape`, and the fewest axes that tell so. */
function mergeRepeats(operands: readonly TfTensor[], shape: readonly number[]): { sizes: number[][]; whole: number[] } {
  const shapes = operands.map((one) => padRank(one.shape, shape.length));
  const pattern = (axis: number): string => shapes.map((one) => (one[axis] === shape[axis] ? '=' : '1')).join('');
  const runs = runsOf(shape.length, (axis) => pattern(axis) === pattern(axis - 1));
  return { sizes: shapes.map((one) => mergeSizes(one, runs)), whole: mergeSizes(shape, runs) };
}

/** Operands that broadcast to `shape`, under so few axes that every kernel takes them; repeated where nothing less helps. */
export function mergeOperands(tf: Tf, operands: readonly TfTensor[], shape: readonly number[]): TfTensor[] {
  const { sizes, whole } = mergeRepeats(operands, shape);
  if (whole.length <= PLAIN_RANK) return operands.map((one, i) => tf.reshape(one, sizes[i]!));
  return operands.map((one) => tf.reshape(repeatTo(tf, one, shape), [-1]));
}

/** x repeated to a shape it broadcasts to: one run of repeated axes at a time, for kernels that tile three axes only. */
export function repeatTo(tf: Tf, x: TfTensor, shape: readonly number[]): TfTensor {
  const { sizes, whole } = mergeRepeats([x], shape);
  const current = sizes[0]!;
  let repeated = x;
  for (const [axis, size] of whole.entries()) {
    if (current[axis] === size) continue;
    const [before, one, after] = aroundAxis(current, axis);
    repeated = tf.tile(tf.reshape(repeated, [before, one, after]), [1, size, 1]);
    current[axis] = size;
  }
  return tf.reshape(repeated, [...shape]);
}
