/** Each op in tfjs: floats are float32, indices int32, shapes numbers. */
import {
  evaluateDim,
  type Bindings,
  type Dim,
  type OpAttributes,
  type OpName,
  type Value,
} from '../../program/index.js';
import { sizeOf } from '../bind.js';
import { aroundAxis, mergeOperands, mergeSizes, PLAIN_RANK, repeatTo, runsOf } from './axes.js';
import { multiply } from './matmul.js';
import type { LoadedBackend, Tf, TfTensor } from './types.js';

/** One op about to be run. */
interface Call<Op extends OpName = OpName> {
  readonly backend: LoadedBackend;
  readonly tf: Tf;
  readonly attributes: OpAttributes[Op];
  /** as many as the op takes; the program was checked when it was built */
  readonly inputs: readonly [TfTensor, TfTensor, TfTensor];
  /** of the result */
  readonly shape: number[];
  readonly size: (dim: Dim) => number;
}

/** Ops that are computed; inputs are given. */
type Computed = Exclude<OpName, 'input'>;
type Evaluate<Op extends OpName> = (call: Call<Op>) => TfTensor;
type Unary = (tf: Tf, x: TfTensor) => TfTensor;

const unary =
  (apply: Unary): Evaluate<OpName> =>
  ({ tf, inputs: [x] }) =>
    apply(tf, x);

/** Elementwise over operands that broadcast. */
const binary =
  (apply: (tf: Tf, a: TfTensor, b: TfTensor) => TfTensor): Evaluate<OpName> =>
  ({ tf, inputs: [a, b], shape }) => {
    if (shape.length <= PLAIN_RANK) return apply(tf, a, b);
    const [merged, other] = mergeOperands(tf, [a, b], shape);
    return tf.reshape(apply(tf, merged!, other!), shape);
  };

const toFloat = ({ tf, repairs }: LoadedBackend, x: TfTensor): TfTensor =>
  repairs.toFloat?.(x) ?? tf.cast(x, 'float32');

/** 0 or 1 as floats */
const compare =
  (apply: (tf: Tf, a: TfTensor, b: TfTensor) => TfTensor): Evaluate<OpName> =>
  (call) =>
    toFloat(call.backend, binary(apply)(call));

/** tfjs's own where repeats its operands with a tile of full rank, which webgpu lacks above four axes. */
const where: Evaluate<'where'> = ({ tf, inputs, shape }) => {
  const [condition, then, otherwise] = inputs.map((one) => tf.reshape(repeatTo(tf, one, shape), [-1]));
  return tf.reshape(tf.where(tf.cast(condition!, 'bool'), then!, otherwise!), shape);
};

type Reduce = (tf: Tf, x: TfTensor, axes: number[]) => TfTensor;

const reduce =
  (apply: Reduce): Evaluate<'sum' | 'mean' | 'max'> =>
  ({ tf, inputs: [x], attributes: { axes }, shape }) => {
    if (axes.length === 0) return tf.clone(x);
    if (x.rank <= PLAIN_RANK) return tf.reshape(apply(tf, x, [...axes]), shape);
    const runs = runsOf(x.rank, (axis) => axes.includes(axis) === axes.includes(axis - 1));
    const merged = tf.reshape(x, mergeSizes(x.shape, runs));
    return tf.reshape(
      apply(
        tf,
        merged,
        runs.flatMap((run, i) => (axes.includes(run[0]!) ? [i] : [])),
      ),
      shape,
    );
  };

/** Functions of rows, the last axis: x as [rows, last]. */
const rowwise =
  (apply: (tf: Tf, rows: TfTensor) => TfTensor): Evaluate<OpName> =>
  ({ tf, inputs: [x], shape }) =>
    tf.reshape(apply(tf, tf.reshape(x, [-1, x.shape.at(-1) ?? 1])), shape);

const scaledToUnit = (tf: Tf, rows: TfTensor, eps: number): TfTensor =>
  tf.mul(rows, tf.rsqrt(tf.add(tf.mean(tf.square(rows), -1, true), eps)));

const logSoftmax: Evaluate<OpName> = rowwise((tf, rows) => {
  const shifted = tf.sub(rows, tf.max(rows, -1, true));
  return tf.sub(shifted, tf.log(tf.sum(tf.exp(shifted), -1, true)));
});

const transpose: Evaluate<'transpose'> = ({ tf, inputs: [x], attributes: { permutation }, shape }) => {
  if (x.rank <= PLAIN_RANK) return tf.transpose(x, [...permutation]);
  // axes that stay neighbours move as one
  const runs = runsOf(x.rank, (i) => permutation[i] === permutation[i - 1]! + 1).map((run) =>
    run.map((i) => permutation[i]!),
  );
  const inOrder = [...runs].sort((a, b) => a[0]! - b[0]!);
  const moved = tf.transpose(
    tf.reshape(x, mergeSizes(x.shape, inOrder)),
    runs.map((run) => inOrder.indexOf(run)),
  );
  return tf.reshape(moved, shape);
};

const concat: Evaluate<'concat'> = ({ tf, inputs, attributes: { axis }, shape }) => {
  const parts = (inputs as readonly TfTensor[])
    .filter((one) => one.size > 0) // some kernels choke on empty parts
    .map((one) => tf.reshape(one, aroundAxis(one.shape, axis)));
  return tf.reshape(tf.concat(parts, 1), shape);
};

const slice: Evaluate<'slice'> = ({ tf, inputs: [x], attributes: { axis, start }, shape, size }) => {
  const [before, length, after] = aroundAxis(shape, axis);
  const around = tf.reshape(x, aroundAxis(x.shape, axis));
  return tf.reshape(tf.slice(around, [0, size(start), 0], [before, length, after]), shape);
};

const pad: Evaluate<'pad'> = ({ tf, inputs: [x], attributes, shape, size }) => {
  const amounts: [number, number] = [size(attributes.before), size(attributes.after)];
  const around = tf.reshape(x, aroundAxis(x.shape, attributes.axis));
  return tf.reshape(tf.pad(around, [[0, 0], amounts, [0, 0]]), shape);
};

const gather: Evaluate<'gather'> = ({ tf, inputs: [x, indices], attributes: { axis }, shape }) => {
  const around = tf.reshape(x, aroundAxis(x.shape, axis));
  return tf.reshape(tf.gather(around, tf.reshape(indices, [-1]), 1), shape);
};

/** scatterND adds up equal indices, and is there on every backend; unsortedSegmentSum is not on wasm. */
const scatterAdd: Evaluate<'scatterAdd'> = ({ tf, inputs: [updates, indices], shape }) => {
  const [count] = updates.shape as [number];
  const inner = updates.size / count;
  const sums = tf.scatterND(tf.reshape(indices, [count, 1]), tf.reshape(updates, [count, inner]), [shape[0]!, inner]);
  return tf.reshape(sums, shape);
};

/** ½x(1 + tanh(√(2/π)(x + 0.044715x³))) */
function geluTanh(tf: Tf, x: TfTensor): TfTensor {
  const inner = tf.mul(tf.add(x, tf.mul(tf.mul(tf.square(x), x), 0.044715)), Math.sqrt(2 / Math.PI));
  return tf.mul(tf.mul(x, 0.5), tf.add(tf.tanh(inner), 1));
}

const EVALUATE: { readonly [Op in Computed]: Evaluate<Op> } = {
  literal: ({ tf, attributes }) => tf.scalar(attributes.value, 'float32'),

  add: binary((tf, a, b) => tf.add(a, b)),
  sub: binary((tf, a, b) => tf.sub(a, b)),
  mul: binary((tf, a, b) => tf.mul(a, b)),
  div: binary((tf, a, b) => tf.div(a, b)),
  pow: binary((tf, a, b) => tf.pow(a, b)),
  minimum: binary((tf, a, b) => tf.minimum(a, b)),
  greater: compare((tf, a, b) => tf.greater(a, b)),
  equal: compare((tf, a, b) => tf.equal(a, b)),
  where,

  neg: unary((tf, x) => tf.neg(x)),
  abs: unary((tf, x) => tf.abs(x)),
  exp: unary((tf, x) => tf.exp(x)),
  log: unary((tf, x) => tf.log(x)),
  sqrt: unary((tf, x) => tf.sqrt(x)),
  sin: ({ backend: { tf, repairs }, inputs: [x] }) => repairs.sin?.(x) ?? tf.sin(x),
  cos: ({ backend: { tf, repairs }, inputs: [x] }) => repairs.cos?.(x) ?? tf.cos(x),
  tanh: unary((tf, x) => tf.tanh(x)),
  sigmoid: unary((tf, x) => tf.sigmoid(x)),
  erf: unary((tf, x) => tf.erf(x)),
  relu: unary((tf, x) => tf.relu(x)),
  gelu: unary((tf, x) => tf.mul(tf.mul(x, 0.5), tf.add(tf.erf(tf.mul(x, Math.SQRT1_2)), 1))),
  geluTanh: unary(geluTanh),
  silu: unary((tf, x) => tf.mul(x, tf.sigmoid(x))),

  sum: reduce((tf, x, axes) => tf.sum(x, axes)),
  mean: reduce((tf, x, axes) => tf.mean(x, axes)),
  max: reduce((tf, x, axes) => tf.max(x, axes)),
  softmax: rowwise((tf, rows) => tf.softmax(rows)),
  logSoftmax,
  layerNorm: ({ tf, inputs: [x, weight, bias], attributes: { eps }, shape }) => {
    const rows = tf.reshape(x, [-1, x.shape.at(-1)!]);
    const centred = tf.sub(rows, tf.mean(rows, -1, true));
    return tf.reshape(tf.add(tf.mul(scaledToUnit(tf, centred, eps), weight), bias), shape);
  },
  rmsNorm: ({ tf, inputs: [x, weight], attributes: { eps }, shape }) =>
    tf.reshape(tf.mul(scaledToUnit(tf, tf.reshape(x, [-1, x.shape.at(-1)!]), eps), weight), shape),

  matmul: ({ backend, inputs: [a, b], shape }) => multiply(backend, [a, b], shape),
  transpose,
  reshape: ({ tf, inputs: [x], shape }) => tf.reshape(x, shape),
  broadcast: ({ tf, inputs: [x], shape }) => repeatTo(tf, x, shape),
  concat,
  slice,
  pad,
  gather,
  scatterAdd,
};

/** What ops that contract an axis make of no elements; tfjs's kernels do not agree on it. */
const OF_NOTHING: Partial<Record<OpName, number>> = {
  sum: 0,
  mean: NaN,
  max: -Infinity,
  matmul: 0,
  pad: 0,
  scatterAdd: 0,
};

/** The result of one op as a tensor of its own; what it needed on the way is gone. */
export function evaluate(
  backend: LoadedBackend,
  value: Value<Computed>,
  run: { readonly inputs: readonly TfTensor[]; readonly bindings: Bindings },
): TfTensor {
  const { tf } = backend;
  const size = (dim: Dim): number => evaluateDim(dim, run.bindings);
  const shape = value.shape.map(size);
  const dtype = value.dtype === 'int' ? 'int32' : 'float32';
  if (sizeOf(shape) === 0) return tf.tensor([], shape, dtype);
  const ofNothing = OF_NOTHING[value.op];
  if (ofNothing !== undefined && run.inputs.some((one) => one.size === 0)) return tf.fill(shape, ofNothing, dtype);
  return tf.tidy(() => {
    const inputs = run.inputs as Call['inputs'];
    const call: Call = { backend, tf, attributes: value.attributes, inputs, shape, size };
    return (EVALUATE[value.op] as Evaluate<OpName>)(call);
  });
}
