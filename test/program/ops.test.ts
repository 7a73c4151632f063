import { expect } from 'chai';
import * as o from '../../src/program/index.js';

const x = o.input('x', ['batch', 'pos', 4]);
const tokens = o.input('tokens', ['batch', 'pos'], 'int');

describe('shapes are checked when a program is built', () => {
  const results: [string, o.Value, o.Shape][] = [
    ['a sum of broadcast shapes', o.add(x, o.input('row', [4])), ['batch', 'pos', 4]],
    ['a comparison', o.greater(x, 0), ['batch', 'pos', 4]],
    ['a product of matrices', o.matmul(x, o.parameter('w', [4, 7])), ['batch', 'pos', 7]],
    ['scores of queries and keys', o.matmul(x, o.swapLast(x)), ['batch', 'pos', 'pos']],
    ['a reduction', o.sum(x, [0, -1]), ['pos']],
    ['a reduction that keeps its axes', o.mean(x, [1], true), ['batch', 1, 4]],
    ['a transposition', o.transpose(x, [2, 0, 1]), [4, 'batch', 'pos']],
    ['flattened tokens', o.reshape(x, ['pos*batch', 4]), ['batch*pos', 4]],
    ['a concatenation', o.concat([o.input('cache', ['batch', 'prefix', 4]), x], 1), ['batch', 'pos+prefix', 4]],
    ['what follows a prefix', o.slice(o.input('all', ['prefix+pos']), 0, ['prefix', 'prefix+pos']), ['pos']],
    ['padding', o.pad(x, -1, [1, 2]), ['batch', 'pos', 7]],
    ['an embedding', o.gather(o.parameter('e', [9, 4]), tokens, 0), ['batch', 'pos', 4]],
    ['a scatter', o.scatterAdd(o.input('u', ['n', 4]), o.input('at', ['n'], 'int'), 9), [9, 4]],
  ];
  for (const [title, value, shape] of results)
    it(`${title} is [${shape.join(', ')}]`, () => expect(value.shape).to.deep.equal(shape));

  const refused: [string, () => o.Value, RegExp][] = [
    ['add', () => o.add(x, o.input('y', ['batch', 'pos', 5])), /add: \[batch, pos, 4\] and \[batch, pos, 5\]/],
    ['add', () => o.add(x, o.input('y', ['pos', 'pos', 4])), /add: \[batch, pos, 4\] and \[pos, pos, 4\]/],
    ['where', () => o.where(o.input('c', [3]), x, 0), /where: \[3\] and \[batch, pos, 4\]/],
    ['matmul', () => o.matmul(x, o.parameter('w', [5, 7])), /matmul: \[batch, pos, 4\] and \[5, 7\]/],
    ['matmul', () => o.matmul(x, o.parameter('w', [4])), /matmul: \[batch, pos, 4\] and \[4\]/],
    ['sum', () => o.sum(x, [3]), /sum: \[batch, pos, 4\].*axes within the rank, got 3/],
    ['sum', () => o.sum(x, [0, 0]), /sum: \[batch, pos, 4\]/],
    ['transpose', () => o.transpose(x, [0, 1]), /transpose: \[batch, pos, 4\].*got 0, 1/],
    ['reshape', () => o.reshape(x, ['batch', 4]), /reshape: \[batch, pos, 4\].*\[batch, 4\]/],
    ['broadcast', () => o.broadcast(x, ['pos', 4]), /broadcast: \[batch, pos, 4\].*\[pos, 4\]/],
    ['concat', () => o.concat([x, o.input('y', ['batch', 'pos', 5])], 1), /concat: .* and \[batch, pos, 5\]/],
    ['slice', () => o.slice(x, 2, [1, 5]), /slice: \[batch, pos, 4\].*got 1…5/],
    ['slice', () => o.slice(x, 2, [-1, 2]), /slice: \[batch, pos, 4\].*got -1…2/],
    ['pad', () => o.pad(x, 2, [0, -1]), /pad: \[batch, pos, 4\].*got axis 2, 0 and -1/],
    ['slice', () => o.slice(x, 3, [0, 1]), /slice: \[batch, pos, 4\]/],
    ['gather', () => o.gather(x, o.input('i', ['n']), 0), /gather: \[batch, pos, 4\] and \[n\].*integer indices/],
    ['gather', () => o.gather(x, tokens, 3), /gather: \[batch, pos, 4\] and \[batch, pos\]/],
    ['scatterAdd', () => o.scatterAdd(x, tokens, 9), /scatterAdd: \[batch, pos, 4\] and \[batch, pos\]/],
    ['rmsNorm', () => o.rmsNorm(x, o.parameter('w', [5]), 1e-5), /rmsNorm: \[batch, pos, 4\] and \[5\]/],
    [
      'layerNorm',
      () => o.layerNorm(x, { weight: o.parameter('w', [4]), bias: o.parameter('b', [1]) }, 1e-5),
      /layerNorm: \[batch, pos, 4\] and \[4\] and \[1\]/,
    ],
  ];
  for (const [op, build, message] of refused)
    it(`${op} refuses: ${message.source.replaceAll('\\', '')}`, () => expect(build).to.throw(message));

  it('indices stay indices where they are reshaped or sliced, and are floats in arithmetic', () => {
    expect(o.slice(o.reshape(tokens, ['batch*pos']), 0, [0, 1]).dtype).to.equal('int');
    expect(o.equal(tokens, 3).dtype).to.equal('float');
  });

  it('a cotangent of another shape is refused', () => {
    const cotangent = { of: x, gradient: o.input('g', ['batch', 'pos']) };
    expect(() => o.differentiate([cotangent], [x])).to.throw(/\[batch, pos, 4\] and \[batch, pos\]/);
  });
});
