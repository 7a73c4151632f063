/**
 * How each op is differentiated: from the gradient of its output, a thunk per input for the gradient of that input (a thunk,
 * so that nothing is built for inputs nobody asked about). Checked against central differences in float64.
 */
import { addDims, multiplyDims, subtractDims, type Dim, type Shape } from './dims.js';
import * as o from './ops.js';
import type { OpName, Value } from './value.js';

type Rule<Op extends OpName> = (value: Value<Op>, gradient: Value) => readonly (() => Value)[];

const at = (value: Value, i: number): Value => value.inputs[i] as Value;

/** Sums a gradient over the axes along which `shape` was broadcast. */
function unbroadcast(gradient: Value, shape: Shape): Value {
  const extra = gradient.shape.length - shape.length;
  const axes = gradient.shape.flatMap((dim, i) => (i < extra || (shape[i - extra] === 1 && dim !== 1) ? [i] : []));
  return axes.length === 0 ? gradient : o.reshape(o.sum(gradient, axes), shape);
}

const elementwise =
  (slope: (x: Value, y: Value) => Value): Rule<OpName> =>
  (y, g) => [() => o.mul(g, slope(at(y, 0), y))];

/** Puts back the axes a reduction removed, as ones. */
const keep = (reduced: Value, like: Value, axes: readonly number[]): Value =>
  o.reshape(
    reduced,
    like.shape.map((dim, i) => (axes.includes(i) ? 1 : dim)),
  );

const axesBut = (shape: Shape): number[] => shape.slice(0, -1).map((_, i) => i);

const SQRT_2_OVER_PI = Math.sqrt(2 / Math.PI);

/** d/dx of ½x(1 + tanh u), u = √(2/π)(x + 0.044715x³) */
function geluTanhSlope(x: Value): Value {
  const x2 = o.mul(x, x);
  const t = o.tanh(o.mul(x, o.add(o.mul(x2, 0.044715 * SQRT_2_OVER_PI), SQRT_2_OVER_PI)));
  const du = o.add(o.mul(x2, 3 * 0.044715 * SQRT_2_OVER_PI), SQRT_2_OVER_PI);
  const inner = o.mul(o.mul(o.sub(1, o.mul(t, t)), x), du);
  return o.mul(o.add(o.add(t, 1), inner), 0.5);
}

/** Φ(x) + x φ(x) */
function geluSlope(x: Value): Value {
  const cdf = o.mul(o.add(o.erf(o.mul(x, Math.SQRT1_2)), 1), 0.5);
  const pdf = o.mul(o.exp(o.mul(o.mul(x, x), -0.5)), 1 / Math.sqrt(2 * Math.PI));
  return o.add(cdf, o.mul(x, pdf));
}

/** s + x s (1 − s), s = sigmoid(x) */
function siluSlope(x: Value): Value {
  const s = o.sigmoid(x);
  return o.mul(s, o.add(o.mul(x, o.sub(1, s)), 1));
}

/**
 * The normalised input x̂ and 1/σ, as the norms' adjoint needs them:
 * dx = (h − mean(h) − x̂ · mean(h·x̂)) / σ with h = gradient · weight (RMS: without mean(h)).
 */
function normalised(x: Value, eps: number, centred: boolean): { xHat: Value; inverse: Value } {
  const c = centred ? o.sub(x, o.mean(x, [-1], true)) : x;
  const inverse = o.div(1, o.sqrt(o.add(o.mean(o.mul(c, c), [-1], true), eps)));
  return { xHat: o.mul(c, inverse), inverse };
}

/** The adjoint of a norm: how a gradient at its output reaches its input. */
function normAdjoint(x: Value, h: Value, norm: { eps: number; centred: boolean }): Value {
  const { xHat, inverse } = normalised(x, norm.eps, norm.centred);
  const along = o.mul(xHat, o.mean(o.mul(h, xHat), [-1], true));
  const rest = norm.centred ? o.sub(o.sub(h, o.mean(h, [-1], true)), along) : o.sub(h, along);
  return o.mul(rest, inverse);
}

function normRule(y: Value<'layerNorm' | 'rmsNorm'>, g: Value, centred: boolean): (() => Value)[] {
  const [x, weight] = [at(y, 0), at(y, 1)];
  const { eps } = y.attributes;
  const rows = axesBut(x.shape);
  return [
    () => normAdjoint(x, o.mul(g, weight), { eps, centred }),
    () => o.sum(o.mul(g, normalised(x, eps, centred).xHat), rows),
    () => o.sum(g, rows),
  ];
}

function gatherRule(y: Value<'gather'>, g: Value): (() => Value)[] {
  const [x, indices] = [at(y, 0), at(y, 1)];
  const { axis } = y.attributes;
  const count = indices.shape.length;
  return [
    () => {
      // [before, indices, after] → [indices, before, after] → flat indices first, as scatterAdd wants them
      const before = x.shape.slice(0, axis).map((_, i) => i);
      const picked = indices.shape.map((_, i) => axis + i);
      const after = x.shape.slice(axis + 1).map((_, i) => axis + count + i);
      const first = o.transpose(g, [...picked, ...before, ...after]);
      const flat = multiplyDims(...indices.shape);
      const rest = [...x.shape.slice(0, axis), ...x.shape.slice(axis + 1)];
      const scattered = o.scatterAdd(
        o.reshape(first, [flat, ...rest]),
        o.reshape(indices, [flat]),
        x.shape[axis] as Dim,
      );
      const back = x.shape.map((_, i) => (i < axis ? i + 1 : i === axis ? 0 : i));
      return o.transpose(scattered, back);
    },
  ];
}

function concatRule(y: Value<'concat'>, g: Value): (() => Value)[] {
  const { axis } = y.attributes;
  let start: Dim = 0;
  return y.inputs.map((one) => {
    const range = [start, addDims(start, one.shape[axis] as Dim)] as const;
    start = range[1];
    return () => o.slice(g, axis, range);
  });
}

/** The largest element takes the gradient; equal ones share it. */
function maxRule(y: Value<'max'>, g: Value): (() => Value)[] {
  const x = at(y, 0);
  const { axes } = y.attributes;
  return [
    () => {
      const hit = o.equal(x, keep(y, x, axes));
      return o.mul(hit, o.div(keep(g, x, axes), o.sum(hit, axes, true)));
    },
  ];
}

export const DERIVATIVES: { readonly [Op in OpName]: Rule<Op> } = {
  input: () => [],
  literal: () => [],

  add: (y, g) => [() => unbroadcast(g, at(y, 0).shape), () => unbroadcast(g, at(y, 1).shape)],
  sub: (y, g) => [() => unbroadcast(g, at(y, 0).shape), () => unbroadcast(o.neg(g), at(y, 1).shape)],
  mul: (y, g) => [
    () => unbroadcast(o.mul(g, at(y, 1)), at(y, 0).shape),
    () => unbroadcast(o.mul(g, at(y, 0)), at(y, 1).shape),
  ],
  div: (y, g) => [
    () => unbroadcast(o.div(g, at(y, 1)), at(y, 0).shape),
    () => unbroadcast(o.neg(o.div(o.mul(g, y), at(y, 1))), at(y, 1).shape),
  ],
  pow: (y, g) => [
    () => unbroadcast(o.mul(g, o.mul(at(y, 1), o.pow(at(y, 0), o.sub(at(y, 1), 1)))), at(y, 0).shape),
    () => unbroadcast(o.mul(g, o.mul(y, o.log(at(y, 0)))), at(y, 1).shape),
  ],
  // where both are equal, the first takes the gradient
  minimum: (y, g) => [
    () => unbroadcast(o.sub(g, o.mul(g, o.greater(at(y, 0), at(y, 1)))), at(y, 0).shape),
    () => unbroadcast(o.mul(g, o.greater(at(y, 0), at(y, 1))), at(y, 1).shape),
  ],
  greater: () => [],
  equal: () => [],
  where: (y, g) => [
    () => o.broadcast(o.literal(0), at(y, 0).shape),
    () => unbroadcast(o.where(at(y, 0), g, 0), at(y, 1).shape),
    () => unbroadcast(o.where(at(y, 0), 0, g), at(y, 2).shape),
  ],

  neg: (_, g) => [() => o.neg(g)],
  abs: elementwise((x) => o.sub(o.greater(x, 0), o.greater(0, x))),
  exp: elementwise((_, y) => y),
  log: (y, g) => [() => o.div(g, at(y, 0))],
  sqrt: (y, g) => [() => o.div(o.mul(g, 0.5), y)],
  sin: elementwise((x) => o.cos(x)),
  cos: elementwise((x) => o.neg(o.sin(x))),
  tanh: elementwise((_, y) => o.sub(1, o.mul(y, y))),
  sigmoid: elementwise((_, y) => o.mul(y, o.sub(1, y))),
  erf: elementwise((x) => o.mul(o.exp(o.neg(o.mul(x, x))), 2 / Math.sqrt(Math.PI))),
  relu: elementwise((x) => o.greater(x, 0)),
  gelu: elementwise(geluSlope),
  geluTanh: elementwise(geluTanhSlope),
  silu: elementwise(siluSlope),

  sum: (y, g) => [() => o.broadcast(keep(g, at(y, 0), y.attributes.axes), at(y, 0).shape)],
  mean: (y, g) => {
    const x = at(y, 0);
    // a mean of ones over the same axes is 1; the sum of ones is the count, whatever the named dims turn out to be
    const count = (): Value => o.sum(o.broadcast(o.literal(1), x.shape), y.attributes.axes, true);
    return [
      () => o.broadcast(o.div(keep(g, x, y.attributes.axes), meanCount(x, y.attributes.axes) ?? count()), x.shape),
    ];
  },
  max: maxRule,
  softmax: (y, g) => [() => o.mul(o.sub(g, o.sum(o.mul(g, y), [-1], true)), y)],
  logSoftmax: (y, g) => [() => o.sub(g, o.mul(o.exp(y), o.sum(g, [-1], true)))],
  layerNorm: (y, g) => normRule(y, g, true),
  rmsNorm: (y, g) => normRule(y, g, false),

  matmul: (y, g) => [
    () => unbroadcast(o.matmul(g, o.swapLast(at(y, 1))), at(y, 0).shape),
    () => unbroadcast(o.matmul(o.swapLast(at(y, 0)), g), at(y, 1).shape),
  ],
  transpose: (y, g) => {
    const inverse = y.attributes.permutation.map((_, i) => y.attributes.permutation.indexOf(i));
    return [() => o.transpose(g, inverse)];
  },
  reshape: (y, g) => [() => o.reshape(g, at(y, 0).shape)],
  broadcast: (y, g) => [() => unbroadcast(g, at(y, 0).shape)],
  concat: concatRule,
  slice: (y, g) => {
    const { axis, start, end } = y.attributes;
    return [() => o.pad(g, axis, [start, subtractDims(at(y, 0).shape[axis] as Dim, end)])];
  },
  pad: (y, g) => {
    const { axis, before } = y.attributes;
    return [() => o.slice(g, axis, [before, addDims(before, at(y, 0).shape[axis] as Dim)])];
  },
  gather: gatherRule,
  scatterAdd: (y, g) => [() => o.gather(g, at(y, 1), 0)],
};

/** How many elements a mean runs over, when that is a plain number. */
function meanCount(x: Value, axes: readonly number[]): number | null {
  const count = multiplyDims(...axes.map((axis) => x.shape[axis] as Dim));
  return typeof count === 'number' ? count : null;
}
