import { expect } from 'chai';
import * as o from '../../src/program/index.js';
import type { Value } from '../../src/program/index.js';
import * as composed from '../helpers/compositions.js';
import { expectEqualGradients, runReference } from '../helpers/gradient-check.js';
import { fill, leavesOf, uniform, type Leaf } from '../helpers/op-cases.js';

const BINDINGS = { batch: 2, pos: 3 };
const X: Leaf = { shape: ['batch', 'pos', 4] };
const ROW: Leaf = { shape: [4] };

interface Pair {
  readonly leaves: Readonly<Record<string, Leaf>>;
  readonly fused: (v: Readonly<Record<string, Value>>) => Value;
  readonly plain: (v: Readonly<Record<string, Value>>) => Value;
}

const unary = (fused: (x: Value) => Value, plain: (x: Value) => Value): Pair => ({
  leaves: { x: X },
  fused: (v) => fused(v['x']!),
  plain: (v) => plain(v['x']!),
});

const PAIRS: Readonly<Record<string, Pair>> = {
  layerNorm: {
    leaves: { x: X, weight: ROW, bias: ROW },
    fused: (v) => o.layerNorm(v['x']!, { weight: v['weight']!, bias: v['bias']! }, 1e-2),
    plain: (v) => composed.layerNorm(v['x']!, { weight: v['weight']!, bias: v['bias']! }, 1e-2),
  },
  rmsNorm: {
    leaves: { x: X, weight: ROW },
    fused: (v) => o.rmsNorm(v['x']!, v['weight']!, 1e-2),
    plain: (v) => composed.rmsNorm(v['x']!, v['weight']!, 1e-2),
  },
  softmax: unary(o.softmax, composed.softmax),
  logSoftmax: unary(o.logSoftmax, composed.logSoftmax),
  sigmoid: unary(o.sigmoid, composed.sigmoid),
  tanh: unary(o.tanh, composed.tanh),
  silu: unary(o.silu, composed.silu),
  relu: unary(o.relu, composed.relu),
  gelu: unary(o.gelu, composed.gelu),
  geluTanh: unary(o.geluTanh, composed.geluTanh),
};

/** An expression and its derivatives by every leaf, in one program. */
async function valueAndGradients(leaves: Pair['leaves'], build: Pair['fused']): Promise<Record<string, Float64Array>> {
  const values = leavesOf({ leaves });
  const y = build(values);
  const gradient = o.input('cotangent', y.shape);
  const gradients = o.differentiate([{ of: y, gradient }], Object.values(values));
  const outputs = Object.fromEntries(Object.keys(leaves).map((name, i) => [name, gradients[i]!]));
  const random = uniform(11);
  const all: Record<string, Leaf> = { ...leaves, cotangent: { shape: y.shape } };
  const point = Object.fromEntries(
    Object.entries(all).map(([name, leaf]) => {
      const size = o.evaluateShape(leaf.shape, BINDINGS).reduce((a, b) => a * b, 1);
      return [name, fill(leaf, size, random)];
    }),
  );
  return runReference(o.makeProgram('both', { y, ...outputs }), point, BINDINGS);
}

describe('an op of several steps, and its derivative, equal the same steps one by one', () => {
  for (const [name, { leaves, fused, plain }] of Object.entries(PAIRS))
    it(name, async () => {
      const [one, other] = [await valueAndGradients(leaves, fused), await valueAndGradients(leaves, plain)];
      for (const [key, expected] of Object.entries(other))
        expected.forEach((x, i) => expect(one[key]![i], `${key}[${i}]`).to.be.closeTo(x, 1e-12));
    });
});

describe('derivatives can be differentiated', () => {
  const ops: [string, (x: Value) => Value][] = [
    ['tanh', o.tanh],
    ['softmax', o.softmax],
    ['gelu', o.gelu],
    ['a cube', (x) => o.pow(x, 3)],
    ['rmsNorm', (x) => o.rmsNorm(x, o.broadcast(o.literal(2), [4]), 1e-5)],
    ['attention', (x) => o.matmul(o.softmax(o.matmul(x, o.swapLast(x))), x)],
  ];
  for (const [name, op] of ops)
    it(`${name}: the second derivative is what differences of the first say`, async () => {
      const leaves = { x: X, direction: X };
      const values = leavesOf({ leaves });
      const [first] = o.differentiate([{ of: op(values['x']!), gradient: values['direction']! }], [values['x']!]);
      await expectEqualGradients({ leaves, values, output: first!, bindings: BINDINGS });
    });
});

describe('a whole transformer block', () => {
  const [d, dHead, nHeads, dMlp] = [4, 2, 2, 3];
  const weight = (...shape: number[]): Leaf => ({ shape, range: [0.1, 0.7] });
  const leaves: Record<string, Leaf> = {
    x: { shape: ['batch', 'pos', d] },
    mask: { shape: ['pos', 'pos'] },
    norm1: weight(d),
    'norm1.bias': weight(d),
    query: weight(d, nHeads * dHead),
    key: weight(d, nHeads * dHead),
    value: weight(d, nHeads * dHead),
    output: weight(nHeads * dHead, d),
    norm2: weight(d),
    in: weight(d, dMlp),
    'in.bias': weight(dMlp),
    out: weight(dMlp, d),
  };

  it('has the derivative by its input, its mask and every weight that central differences say', async () => {
    const values = leavesOf({ leaves });
    const output = composed.transformerBlock(values, { nHeads, dHead });
    await expectEqualGradients({ leaves, values, output, bindings: BINDINGS });
  });

  it('passes gradients only to what its outputs depend on', () => {
    const values = leavesOf({ leaves });
    const output = composed.transformerBlock(values, { nHeads, dHead });
    const other = o.input('elsewhere', ['batch', 3]);
    const [zero] = o.differentiate([{ of: output, gradient: o.input('g', output.shape) }], [other]);
    expect(o.printProgram(o.makeProgram('zero', { zero: zero! }))).to.include('v1: [batch, 3] = broadcast(v0');
  });
});
