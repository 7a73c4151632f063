/**
 * The ops: functions from symbolic tensors to a symbolic tensor. Shapes are checked here, when the program is built;
 * an error names the op and the shapes it was given.
 */
import {
  addDims,
  broadcastShapes,
  canonicalDim,
  canonicalShape,
  multiplyDims,
  printShape,
  sameShape,
  subtractDims,
  type Dim,
  type Shape,
} from './dims.js';
import type { DType, OpAttributes, OpName, Value } from './value.js';

export class ShapeError extends Error {
  constructor(op: OpName, inputs: readonly Value[], expected: string) {
    super(
      `program/${op}: ${inputs.map((input) => printShape(input.shape)).join(' and ')} do not fit; expected ${expected}`,
    );
    this.name = 'ShapeError';
  }
}

interface Typed {
  readonly shape: Shape;
  readonly dtype?: DType;
}

const make = <Op extends OpName>(op: Op, inputs: readonly Value[], attributes: OpAttributes[Op], typed: Typed): Value =>
  ({ op, inputs, attributes, shape: typed.shape, dtype: typed.dtype ?? 'float' }) as Value;

/** A tensor given at each run. Its named dims are bound by the sizes it then has. */
export const input = (name: string, shape: Shape, dtype: DType = 'float'): Value =>
  make('input', [], { name, role: 'input' }, { shape: canonicalShape(shape), dtype });

/** A tensor given once, when the program is prepared: a weight. */
export const parameter = (name: string, shape: Shape, dtype: DType = 'float'): Value =>
  make('input', [], { name, role: 'parameter' }, { shape: canonicalShape(shape), dtype });

export const literal = (value: number): Value => make('literal', [], { value }, { shape: [] });

const lift = (x: Value | number): Value => (typeof x === 'number' ? literal(x) : x);

const binary =
  (op: 'add' | 'sub' | 'mul' | 'div' | 'pow' | 'minimum' | 'greater' | 'equal') =>
  (left: Value | number, right: Value | number): Value => {
    const inputs = [lift(left), lift(right)] as const;
    const shape = broadcastShapes(inputs[0].shape, inputs[1].shape);
    if (shape === null) throw new ShapeError(op, inputs, 'shapes that broadcast');
    return make(op, inputs, {}, { shape });
  };
export const add = binary('add');
export const sub = binary('sub');
export const mul = binary('mul');
export const div = binary('div');
export const pow = binary('pow');
export const minimum = binary('minimum');
export const greater = binary('greater');
export const equal = binary('equal');

export function where(condition: Value, then: Value | number, otherwise: Value | number): Value {
  const inputs = [condition, lift(then), lift(otherwise)] as const;
  const branches = broadcastShapes(inputs[1].shape, inputs[2].shape);
  const shape = branches && broadcastShapes(condition.shape, branches);
  if (!shape) throw new ShapeError('where', inputs, 'shapes that broadcast');
  return make('where', inputs, {}, { shape });
}

type UnaryOp =
  | 'neg'
  | 'abs'
  | 'exp'
  | 'log'
  | 'sqrt'
  | 'sin'
  | 'cos'
  | 'tanh'
  | 'sigmoid'
  | 'erf'
  | 'relu'
  | 'gelu'
  | 'geluTanh'
  | 'silu';
const unary =
  (op: UnaryOp) =>
  (x: Value): Value =>
    make(op, [x], {}, { shape: x.shape });
export const neg = unary('neg');
export const abs = unary('abs');
export const exp = unary('exp');
export const log = unary('log');
export const sqrt = unary('sqrt');
export const sin = unary('sin');
export const cos = unary('cos');
export const tanh = unary('tanh');
export const sigmoid = unary('sigmoid');
export const erf = unary('erf');
export const relu = unary('relu');
export const gelu = unary('gelu');
export const geluTanh = unary('geluTanh');
export const silu = unary('silu');

/** Negative axes count from the end. */
const normalizeAxis = (axis: number, rank: number): number => (axis < 0 ? axis + rank : axis);

const reduce =
  (op: 'sum' | 'mean' | 'max') =>
  (x: Value, axes: readonly number[], keepDims = false): Value => {
    const normal = axes.map((axis) => normalizeAxis(axis, x.shape.length)).sort((a, b) => a - b);
    if (normal.some((axis) => axis < 0 || axis >= x.shape.length) || new Set(normal).size !== normal.length)
      throw new ShapeError(op, [x], `axes within the rank, got ${axes.join(', ')}`);
    const shape = keepDims
      ? x.shape.map((dim, i) => (normal.includes(i) ? 1 : dim))
      : x.shape.filter((_, i) => !normal.includes(i));
    return make(op, [x], { axes: normal, keepDims }, { shape });
  };
export const sum = reduce('sum');
export const mean = reduce('mean');
export const max = reduce('max');

export const softmax = (x: Value): Value => make('softmax', [x], {}, { shape: x.shape });
export const logSoftmax = (x: Value): Value => make('logSoftmax', [x], {}, { shape: x.shape });

/** (x − mean) / √(variance + eps) · weight + bias, over the last axis. */
export function layerNorm(x: Value, affine: { weight: Value; bias: Value }, eps: number): Value {
  const inputs = [x, affine.weight, affine.bias];
  const last = x.shape.at(-1);
  if (last === undefined || !sameShape(affine.weight.shape, [last]) || !sameShape(affine.bias.shape, [last]))
    throw new ShapeError('layerNorm', inputs, 'weight and bias of the last axis');
  return make('layerNorm', inputs, { eps }, { shape: x.shape });
}

/** x / √(mean of squares + eps) · weight, over the last axis. */
export function rmsNorm(x: Value, weight: Value, eps: number): Value {
  const last = x.shape.at(-1);
  if (last === undefined || !sameShape(weight.shape, [last]))
    throw new ShapeError('rmsNorm', [x, weight], 'a weight of the last axis');
  return make('rmsNorm', [x, weight], { eps }, { shape: x.shape });
}

/** [… m, k] · [… k, n] → [… m, n]; leading axes broadcast. */
export function matmul(a: Value, b: Value): Value {
  const [m, k] = a.shape.slice(-2);
  const [k2, n] = b.shape.slice(-2);
  const batch = broadcastShapes(a.shape.slice(0, -2), b.shape.slice(0, -2));
  if (m === undefined || k === undefined || k2 === undefined || n === undefined || k !== k2 || batch === null)
    throw new ShapeError('matmul', [a, b], '[…, m, k] and […, k, n] with leading axes that broadcast');
  return make('matmul', [a, b], {}, { shape: [...batch, m, n] });
}

export function transpose(x: Value, permutation: readonly number[]): Value {
  const sorted = [...permutation].sort((a, b) => a - b);
  if (sorted.length !== x.shape.length || sorted.some((axis, i) => axis !== i))
    throw new ShapeError('transpose', [x], `a permutation of its axes, got ${permutation.join(', ')}`);
  return make('transpose', [x], { permutation }, { shape: permutation.map((axis) => x.shape[axis] as Dim) });
}

/** Exchanges the last two axes. */
export function swapLast(x: Value): Value {
  const rank = x.shape.length;
  const axes = x.shape.map((_, i) => i);
  return transpose(x, [...axes.slice(0, -2), rank - 1, rank - 2]);
}

export function reshape(x: Value, to: Shape): Value {
  const shape = canonicalShape(to);
  if (multiplyDims(...x.shape) !== multiplyDims(...shape))
    throw new ShapeError('reshape', [x], `as many elements as ${printShape(shape)}`);
  return sameShape(x.shape, shape) ? x : make('reshape', [x], { shape }, { shape, dtype: x.dtype });
}

export function broadcast(x: Value, to: Shape): Value {
  const shape = canonicalShape(to);
  const result = broadcastShapes(x.shape, shape);
  if (result === null || !sameShape(result, shape))
    throw new ShapeError('broadcast', [x], `a shape that broadcasts to ${printShape(shape)}`);
  return sameShape(x.shape, shape) ? x : make('broadcast', [x], { shape }, { shape });
}

export function concat(values: readonly Value[], axis: number): Value {
  const [first] = values;
  if (!first) throw new Error('program/concat: no values');
  const at = normalizeAxis(axis, first.shape.length);
  const rest = (value: Value): Shape => value.shape.filter((_, i) => i !== at);
  if (values.some((value) => value.shape.length !== first.shape.length || !sameShape(rest(value), rest(first))))
    throw new ShapeError('concat', values, `shapes that differ on axis ${axis} only`);
  if (values.length === 1) return first;
  const total = addDims(...values.map((value) => value.shape[at] as Dim));
  return make('concat', values, { axis: at }, { shape: first.shape.map((dim, i) => (i === at ? total : dim)) });
}

const isNegative = (dim: Dim): boolean => typeof dim === 'number' && dim < 0;

/** Elements start … end-1 of one axis. */
export function slice(x: Value, axis: number, range: readonly [start: Dim, end: Dim]): Value {
  const at = normalizeAxis(axis, x.shape.length);
  const [start, end] = range;
  const size = subtractDims(end, start);
  const whole = x.shape[at];
  const outside = isNegative(size) || isNegative(start);
  const beyond = typeof end === 'number' && typeof whole === 'number' && end > whole;
  if (whole === undefined || outside || beyond)
    throw new ShapeError('slice', [x], `a range within axis ${axis}, got ${start}…${end}`);
  return make(
    'slice',
    [x],
    { axis: at, start, end },
    { shape: x.shape.map((dim, i) => (i === at ? size : dim)), dtype: x.dtype },
  );
}

export function pad(x: Value, axis: number, amounts: readonly [before: Dim, after: Dim]): Value {
  const at = normalizeAxis(axis, x.shape.length);
  const [before, after] = amounts;
  const whole = x.shape[at];
  if (whole === undefined || isNegative(before) || isNegative(after))
    throw new ShapeError(
      'pad',
      [x],
      `an axis within the rank and amounts of at least 0, got axis ${axis}, ${before} and ${after}`,
    );
  const size = addDims(before, whole, after);
  return make('pad', [x], { axis: at, before, after }, { shape: x.shape.map((dim, i) => (i === at ? size : dim)) });
}

/** x with `axis` replaced by the elements at `indices`. */
export function gather(x: Value, indices: Value, axis: number): Value {
  const at = normalizeAxis(axis, x.shape.length);
  if (indices.dtype !== 'int' || x.dtype === 'int' || x.shape[at] === undefined)
    throw new ShapeError('gather', [x, indices], 'integer indices and an axis within the rank');
  return make(
    'gather',
    [x, indices],
    { axis: at },
    { shape: [...x.shape.slice(0, at), ...indices.shape, ...x.shape.slice(at + 1)] },
  );
}

/** Zeros of [size, …] to which updates [n, …] are added at indices [n]; equal indices add up. */
export function scatterAdd(updates: Value, indices: Value, size: Dim): Value {
  if (indices.dtype !== 'int' || indices.shape.length !== 1 || updates.shape[0] !== indices.shape[0])
    throw new ShapeError('scatterAdd', [updates, indices], 'updates [n, …] and integer indices [n]');
  return make('scatterAdd', [updates, indices], { size }, { shape: [canonicalDim(size), ...updates.shape.slice(1)] });
}
