import { expand, float } from './array.js';
import { erf, gelu, geluTanh, sigmoid } from './special.js';
import type { PlainEvaluate } from './types.js';

const unary =
  (f: (x: number) => number): PlainEvaluate =>
  ([x], { shape }) => {
    const { data } = x!;
    return float(shape, Float64Array.from(data, f));
  };

const binary =
  (f: (a: number, b: number) => number): PlainEvaluate =>
  ([a, b], { shape }) => {
    const [left, right] = [expand(a!, shape).data, expand(b!, shape).data];
    const result = float(shape);
    for (let i = 0; i < result.data.length; i++) result.data[i] = f(left[i]!, right[i]!);
    return result;
  };

const where: PlainEvaluate = (inputs, { shape }) => {
  const [condition, then, otherwise] = inputs.map((x) => expand(x, shape).data);
  const result = float(shape);
  for (let i = 0; i < result.data.length; i++) result.data[i] = condition![i] === 0 ? otherwise![i]! : then![i]!;
  return result;
};

export const ELEMENTWISE = {
  add: binary((a, b) => a + b),
  sub: binary((a, b) => a - b),
  mul: binary((a, b) => a * b),
  div: binary((a, b) => a / b),
  pow: binary((a, b) => a ** b),
  minimum: binary(Math.min),
  greater: binary((a, b) => (a > b ? 1 : 0)),
  equal: binary((a, b) => (a === b ? 1 : 0)),
  where,
  neg: unary((x) => -x),
  abs: unary(Math.abs),
  exp: unary(Math.exp),
  log: unary(Math.log),
  sqrt: unary(Math.sqrt),
  sin: unary(Math.sin),
  cos: unary(Math.cos),
  tanh: unary(Math.tanh),
  sigmoid: unary(sigmoid),
  erf: unary(erf),
  relu: unary((x) => Math.max(x, 0)),
  gelu: unary(gelu),
  geluTanh: unary(geluTanh),
  silu: unary((x) => x * sigmoid(x)),
};
