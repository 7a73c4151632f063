import type { Dim, Shape } from './dims.js';

/**
 * `int` values are indices (gather, scatter), and stay `int` where they are reshaped or sliced; arithmetic reads them as the
 * floats they stand for. Everything that is differentiated is `float`.
 */
export type DType = 'float' | 'int';

/** Every op and its attributes. A new op is a line here; the compiler then asks each table for its rule. */
export interface OpAttributes {
  /** `input`: given at each run. `parameter`: given once, when the program is prepared. */
  input: { readonly name: string; readonly role: 'input' | 'parameter' };
  literal: { readonly value: number };

  add: Record<never, never>;
  sub: Record<never, never>;
  mul: Record<never, never>;
  div: Record<never, never>;
  pow: Record<never, never>;
  /** the smaller of two */
  minimum: Record<never, never>;
  /** 1 where a > b, else 0 */
  greater: Record<never, never>;
  /** 1 where a = b, else 0 */
  equal: Record<never, never>;
  /** inputs: condition (0 or 1), then, otherwise */
  where: Record<never, never>;

  neg: Record<never, never>;
  abs: Record<never, never>;
  exp: Record<never, never>;
  log: Record<never, never>;
  sqrt: Record<never, never>;
  sin: Record<never, never>;
  cos: Record<never, never>;
  tanh: Record<never, never>;
  sigmoid: Record<never, never>;
  erf: Record<never, never>;
  relu: Record<never, never>;
  /** x Φ(x) */
  gelu: Record<never, never>;
  /** GPT-2's tanh approximation of gelu */
  geluTanh: Record<never, never>;
  silu: Record<never, never>;

  sum: { readonly axes: readonly number[]; readonly keepDims: boolean };
  mean: { readonly axes: readonly number[]; readonly keepDims: boolean };
  max: { readonly axes: readonly number[]; readonly keepDims: boolean };
  /** over the last axis */
  softmax: Record<never, never>;
  logSoftmax: Record<never, never>;
  /** inputs x, weight, bias; over the last axis */
  layerNorm: { readonly eps: number };
  /** inputs x, weight; over the last axis */
  rmsNorm: { readonly eps: number };

  /** numpy's matmul: batch axes broadcast */
  matmul: Record<never, never>;
  transpose: { readonly permutation: readonly number[] };
  reshape: { readonly shape: Shape };
  broadcast: { readonly shape: Shape };
  concat: { readonly axis: number };
  slice: { readonly axis: number; readonly start: Dim; readonly end: Dim };
  /** zeros around one axis */
  pad: { readonly axis: number; readonly before: Dim; readonly after: Dim };
  /** inputs x, indices (int, any rank): the axis is replaced by the indices' axes */
  gather: { readonly axis: number };
  /** inputs updates [n, …], indices (int) [n]: zeros of [size, …] with the updates added at their indices */
  scatterAdd: { readonly size: Dim };
}

export type OpName = keyof OpAttributes;

/** A symbolic tensor: the result of one op. A program is whatever is reachable from its outputs. */
export type Value<K extends OpName = OpName> = {
  [Op in K]: {
    readonly op: Op;
    readonly attributes: OpAttributes[Op];
    readonly inputs: readonly Value[];
    readonly shape: Shape;
    readonly dtype: DType;
  };
}[K];
