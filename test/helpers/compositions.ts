/** What the composite ops stand for, written with elementary ones. */
import * as o from '../../src/program/index.js';
import type { Value } from '../../src/program/index.js';

const overRoot = (x: Value, variance: Value, eps: number): Value => o.div(x, o.sqrt(o.add(variance, eps)));
const meanOfSquares = (x: Value): Value => o.mean(o.mul(x, x), [-1], true);

export const rmsNorm = (x: Value, weight: Value, eps: number): Value =>
  o.mul(overRoot(x, meanOfSquares(x), eps), weight);

export const layerNorm = (x: Value, affine: { weight: Value; bias: Value }, eps: number): Value => {
  const centred = o.sub(x, o.mean(x, [-1], true));
  return o.add(rmsNorm(centred, affine.weight, eps), affine.bias);
};

export const softmax = (x: Value): Value => {
  const positive = o.exp(o.sub(x, o.max(x, [-1], true)));
  return o.div(positive, o.sum(positive, [-1], true));
};

export const logSoftmax = (x: Value): Value => o.log(softmax(x));
export const sigmoid = (x: Value): Value => o.div(1, o.add(1, o.exp(o.neg(x))));
export const silu = (x: Value): Value => o.mul(x, sigmoid(x));
export const relu = (x: Value): Value => o.mul(o.add(x, o.abs(x)), 0.5);
export const gelu = (x: Value): Value => o.mul(o.mul(x, 0.5), o.add(1, o.erf(o.mul(x, Math.SQRT1_2))));

export const tanh = (x: Value): Value => o.sub(o.mul(sigmoid(o.mul(x, 2)), 2), 1);

/** ½x(1 + tanh(√(2/π)(x + 0.044715x³))) */
export const geluTanh = (x: Value): Value => {
  const inner = o.mul(o.add(x, o.mul(o.pow(x, 3), 0.044715)), Math.sqrt(2 / Math.PI));
  return o.mul(o.mul(x, 0.5), o.add(1, o.tanh(inner)));
};

export interface BlockSizes {
  readonly nHeads: number;
  readonly dHead: number;
}

/**
 * One transformer block with causal attention over [batch, pos, d].
 * Weights by name: norm1, norm1.bias, query, key, value, output, norm2, in, in.bias, out; `mask` [pos, pos] is 0 or −∞-like.
 */
export function transformerBlock(v: Readonly<Record<string, Value>>, { nHeads, dHead }: BlockSizes): Value {
  const at = (name: string): Value => v[name]!;
  const x = at('x');
  const read = o.layerNorm(x, { weight: at('norm1'), bias: at('norm1.bias') }, 1e-5);
  const heads = (weight: string): Value =>
    o.transpose(o.reshape(o.matmul(read, at(weight)), ['batch', 'pos', nHeads, dHead]), [0, 2, 1, 3]); // [batch, head, pos, dHead]
  const scores = o.add(o.mul(o.matmul(heads('query'), o.swapLast(heads('key'))), dHead ** -0.5), at('mask'));
  const z = o.matmul(o.softmax(scores), heads('value')); // [batch, head, pos, dHead]
  const mixed = o.reshape(o.transpose(z, [0, 2, 1, 3]), ['batch', 'pos', nHeads * dHead]);
  const middle = o.add(x, o.matmul(mixed, at('output')));
  const hidden = o.geluTanh(o.add(o.matmul(o.rmsNorm(middle, at('norm2'), 1e-5), at('in')), at('in.bias')));
  return o.add(middle, o.matmul(hidden, at('out')));
}
