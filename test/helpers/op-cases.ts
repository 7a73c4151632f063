/** At least one small use of every op, with named dims and broadcasting: what derivatives and runtimes are checked on. */
import * as o from '../../src/program/index.js';
import type { Bindings, DType, OpName, Shape, Value } from '../../src/program/index.js';

export interface Leaf {
  readonly shape: Shape;
  readonly dtype?: DType;
  /** floats: |x| lies in this range, of either sign unless `positive`; ints: 0 … max-1 */
  readonly range?: readonly [min: number, max: number];
  readonly positive?: boolean;
}

export interface OpCase {
  readonly title: string;
  readonly leaves: Readonly<Record<string, Leaf>>;
  readonly build: (leaves: Readonly<Record<string, Value>>) => Value;
}

/** Sizes that every case is tried at. */
export const BINDINGS: readonly Bindings[] = [
  { batch: 2, pos: 3, prefix: 1 },
  { batch: 1, pos: 1, prefix: 2 },
];

type Leaves = Readonly<Record<string, Value>>;
const at = (leaves: Leaves, name: string): Value => leaves[name]!;

const unary = (op: (x: Value) => Value, leaf: Partial<Leaf> = {}): OpCase[] => [
  { title: 'of [batch, 3]', leaves: { x: { shape: ['batch', 3], ...leaf } }, build: (v) => op(at(v, 'x')) },
];

const binary = (op: (a: Value, b: Value) => Value, leaf: Partial<Leaf> = {}): OpCase[] =>
  (
    [
      ['equal shapes', ['batch', 2], ['batch', 2]],
      ['a row to every row', ['batch', 'pos', 2], [2]],
      ['both broadcast', ['batch', 1, 2], ['pos', 1]],
      ['a scalar', [], ['batch', 2]],
    ] as const
  ).map(([title, a, b]) => ({
    title,
    leaves: { a: { shape: a, ...leaf }, b: { shape: b, ...leaf } },
    build: (v) => op(at(v, 'a'), at(v, 'b')),
  }));

const reduction = (op: (x: Value, axes: readonly number[], keepDims?: boolean) => Value): OpCase[] =>
  (
    [
      ['the last axis', [-1], false],
      ['a named axis, kept', [1], true],
      ['two axes', [0, 2], false],
      ['all axes', [0, 1, 2], false],
    ] as const
  ).map(([title, axes, keepDims]) => ({
    title,
    leaves: { x: { shape: ['batch', 'pos', 3] } },
    build: (v) => op(at(v, 'x'), axes, keepDims),
  }));

const one = (title: string, leaves: OpCase['leaves'], build: OpCase['build']): OpCase => ({ title, leaves, build });

/** For cases whose own inputs hold named dims only inside sums and products: an input that says what they are. */
const SIZES: Leaf = { shape: ['batch', 'pos', 'prefix'] };
const withSizes = (v: Leaves, y: Value): Value => o.add(y, o.sum(at(v, 'sizes'), [0, 1, 2]));

const X: Leaf = { shape: ['batch', 'pos', 4] };
const ROW: Leaf = { shape: [4] };

export const OP_CASES: { readonly [Op in OpName]: readonly OpCase[] } = {
  input: [one('as it is', { x: X }, (v) => at(v, 'x'))],
  literal: [one('times an input', { x: X }, (v) => o.mul(at(v, 'x'), o.literal(2.5)))],
  add: binary(o.add),
  sub: binary(o.sub),
  mul: binary(o.mul),
  div: binary(o.div),
  pow: [
    ...binary(o.pow, { positive: true }),
    one('a whole power of negative numbers', { x: X }, (v) => o.pow(at(v, 'x'), 3)),
  ],
  minimum: binary(o.minimum),
  greater: binary(o.greater),
  equal: [
    ...binary(o.equal),
    one('of ints in floats', { a: X }, (v) => o.equal(o.mul(o.greater(at(v, 'a'), 0), 2), 2)),
  ],
  where: [
    one('a comparison', { a: X, b: X }, (v) => o.where(o.greater(at(v, 'a'), 0), at(v, 'b'), o.mul(at(v, 'a'), 2))),
    one('broadcast branches', { a: { shape: ['pos', 1] }, b: ROW, c: X }, (v) =>
      o.where(o.greater(at(v, 'a'), 0), at(v, 'b'), at(v, 'c')),
    ),
  ],
  neg: unary(o.neg),
  abs: unary(o.abs),
  exp: unary(o.exp),
  log: unary(o.log, { positive: true }),
  sqrt: unary(o.sqrt, { positive: true }),
  sin: unary(o.sin),
  cos: unary(o.cos),
  tanh: unary(o.tanh),
  sigmoid: unary(o.sigmoid),
  erf: unary(o.erf),
  relu: unary(o.relu),
  gelu: unary(o.gelu),
  geluTanh: unary(o.geluTanh),
  silu: unary(o.silu),
  sum: reduction(o.sum),
  mean: reduction(o.mean),
  max: reduction(o.max),
  softmax: [one('rows', { x: X }, (v) => o.softmax(at(v, 'x')))],
  logSoftmax: [one('rows', { x: X }, (v) => o.logSoftmax(at(v, 'x')))],
  layerNorm: [
    one('rows', { x: X, weight: ROW, bias: ROW }, (v) =>
      o.layerNorm(at(v, 'x'), { weight: at(v, 'weight'), bias: at(v, 'bias') }, 1e-5),
    ),
  ],
  rmsNorm: [one('rows', { x: X, weight: ROW }, (v) => o.rmsNorm(at(v, 'x'), at(v, 'weight'), 1e-5))],
  matmul: [
    one('rows by a matrix', { a: X, b: { shape: [4, 2] } }, (v) => o.matmul(at(v, 'a'), at(v, 'b'))),
    one('batch by batch', { a: { shape: ['batch', 'pos', 2] }, b: { shape: ['batch', 2, 'pos'] } }, (v) =>
      o.matmul(at(v, 'a'), at(v, 'b')),
    ),
    one('batches that broadcast', { a: { shape: ['batch', 1, 'pos', 2] }, b: { shape: [3, 2, 2] } }, (v) =>
      o.matmul(at(v, 'a'), at(v, 'b')),
    ),
  ],
  transpose: [one('three axes', { x: X }, (v) => o.transpose(at(v, 'x'), [2, 0, 1]))],
  reshape: [
    one('flattened', { x: X }, (v) => o.reshape(at(v, 'x'), ['4*batch*pos'])),
    one('heads', { x: X }, (v) => o.reshape(at(v, 'x'), ['batch', 'pos', 2, 2])),
    one('two named dims apart', { x: { shape: ['batch*pos', 4] }, sizes: SIZES }, (v) =>
      withSizes(v, o.reshape(at(v, 'x'), ['batch', 'pos', 4])),
    ),
  ],
  broadcast: [
    one('a scalar', { x: { shape: [] }, sizes: SIZES }, (v) => withSizes(v, o.broadcast(at(v, 'x'), ['batch', 'pos']))),
    one('a kept axis', { x: { shape: ['batch', 1, 2] }, sizes: SIZES }, (v) =>
      withSizes(v, o.broadcast(at(v, 'x'), [3, 'batch', 'pos', 2])),
    ),
  ],
  concat: [
    one('named lengths', { a: { shape: ['prefix', 2] }, b: { shape: ['pos', 2] } }, (v) =>
      o.concat([at(v, 'a'), at(v, 'b')], 0),
    ),
    one('the last of three axes', { a: X, b: { shape: ['batch', 'pos', 1] } }, (v) =>
      o.concat([at(v, 'a'), at(v, 'b'), at(v, 'a')], -1),
    ),
  ],
  slice: [
    one('a fixed range', { x: X }, (v) => o.slice(at(v, 'x'), -1, [1, 3])),
    one('what follows the prefix', { x: { shape: [2, 'prefix+pos'] }, sizes: SIZES }, (v) =>
      withSizes(v, o.slice(at(v, 'x'), 1, ['prefix', 'prefix+pos'])),
    ),
  ],
  pad: [
    one('one axis', { x: X }, (v) => o.pad(at(v, 'x'), 1, [2, 1])),
    one('by named amounts', { x: X, sizes: SIZES }, (v) => withSizes(v, o.pad(at(v, 'x'), 1, ['prefix', 'batch']))),
  ],
  gather: [
    one('rows of a table', { x: { shape: [5, 2] }, i: { shape: ['batch', 'pos'], dtype: 'int', range: [0, 5] } }, (v) =>
      o.gather(at(v, 'x'), at(v, 'i'), 0),
    ),
    one('a middle axis', { x: { shape: ['batch', 3, 2] }, i: { shape: ['pos'], dtype: 'int', range: [0, 3] } }, (v) =>
      o.gather(at(v, 'x'), at(v, 'i'), 1),
    ),
  ],
  scatterAdd: [
    one(
      'rows to repeated places',
      {
        x: { shape: ['4*pos', 2] },
        i: { shape: ['4*pos'], dtype: 'int', range: [0, 3] },
        sizes: SIZES,
      },
      (v) => withSizes(v, o.scatterAdd(at(v, 'x'), at(v, 'i'), 3)),
    ),
    one('scalars to a named size', { x: { shape: ['pos'] }, i: { shape: ['pos'], dtype: 'int', range: [0, 1] } }, (v) =>
      o.scatterAdd(at(v, 'x'), at(v, 'i'), 'pos'),
    ),
  ],
};

/** The case's inputs as program values, by name. */
export const leavesOf = (one: Pick<OpCase, 'leaves'>): Record<string, Value> =>
  Object.fromEntries(Object.entries(one.leaves).map(([name, leaf]) => [name, o.input(name, leaf.shape, leaf.dtype)]));

/** Reproducible numbers in [0, 1). */
export function uniform(seed: number): () => number {
  let state = seed * 2654435761 + 1;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Values for a leaf that is this large: away from 0, where some derivatives jump. */
export function fill(leaf: Leaf, size: number, random: () => number): Float64Array | Int32Array {
  if (leaf.dtype === 'int')
    return Int32Array.from({ length: size }, () => Math.floor(random() * (leaf.range?.[1] ?? 1)));
  const [min, max] = leaf.range ?? [0.2, 1.5];
  return Float64Array.from({ length: size }, () => {
    const magnitude = min + random() * (max - min);
    return leaf.positive || random() < 0.5 ? magnitude : -magnitude;
  });
}
