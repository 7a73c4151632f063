import { expect } from 'chai';
import * as o from '../../src/program/index.js';

const x = o.input('x', ['batch', 2]);
const w = o.parameter('w', [2, 2]);

describe('a program', () => {
  it('is whatever its outputs reach, in an order that can be run', () => {
    const hidden = o.tanh(o.matmul(x, w));
    const program = o.makeProgram('layer', { hidden, total: o.sum(hidden, [0]) });
    expect(program.values.map(({ op }) => op)).to.deep.equal(['input', 'input', 'matmul', 'tanh', 'sum']);
    expect(program.inputs.map(({ attributes }) => attributes.name)).to.deep.equal(['x']);
    expect(program.parameters.map(({ attributes }) => attributes.name)).to.deep.equal(['w']);
    for (const [at, value] of program.values.entries())
      for (const input of value.inputs) expect(program.values.indexOf(input)).to.be.within(0, at - 1);
  });

  it('computes equal expressions once, also those that were built apart', () => {
    const twice = (): o.Value => o.mul(o.add(o.input('x', ['batch', 2]), 1), 2);
    const program = o.makeProgram('shared', { a: twice(), b: twice(), c: o.add(twice(), 1) });
    expect(program.outputs['a']).to.equal(program.outputs['b']);
    expect(program.values.filter(({ op }) => op === 'mul')).to.have.length(1);
    expect(program.inputs).to.have.length(1);
  });

  it('keeps apart what differs in an attribute, an operand or their order', () => {
    const outputs = { a: o.sum(x, [0]), b: o.sum(x, [1]), c: o.sub(x, 1), d: o.sub(1, x), e: o.slice(x, 1, [0, 1]) };
    const program = o.makeProgram('apart', { ...outputs, f: o.slice(x, 1, [1, 2]) });
    expect(new Set(Object.values(program.outputs)).size).to.equal(6);
  });

  it('keeps apart numbers that JSON does not', () => {
    const numbers = [Infinity, -Infinity, NaN, 0, -0].map((value, i) => [`n${i}`, o.add(x, value)] as const);
    const program = o.makeProgram('numbers', Object.fromEntries(numbers));
    expect(new Set(Object.values(program.outputs)).size).to.equal(5);
  });

  it('refuses two inputs of one name', () => {
    const outputs = { sum: o.add(x, o.input('x', [2])) };
    expect(() => o.makeProgram('clash', outputs)).to.throw('program clash: two inputs are called x');
  });

  it('prints as text that a person can read, equal for equal programs', () => {
    const build = (): o.Program => o.makeProgram('layer', { y: o.add(o.softmax(o.matmul(x, w)), 0.5) });
    expect(o.printProgram(build())).to.equal(
      [
        'program layer {',
        '  x: [batch, 2] = input',
        '  w: [2, 2] = parameter',
        '  v2: [batch, 2] = matmul(x, w)',
        '  v3: [batch, 2] = softmax(v2)',
        '  v4: [] = 0.5',
        '  v5: [batch, 2] = add(v3, v4)',
        '  return y = v5',
        '}',
      ].join('\n'),
    );
    expect(o.printProgram(build())).to.equal(o.printProgram(build()));
  });

  it('is built in time that grows with its size, however deep and however often a value is used', () => {
    let y = x;
    for (let i = 0; i < 5000; i++) y = o.add(y, y);
    expect(o.makeProgram('deep', { y }).values).to.have.length(5001);
    const [gradient] = o.differentiate([{ of: y, gradient: o.input('g', ['batch', 2]) }], [x]);
    expect(o.makeProgram('gradient', { gradient: gradient! }).values).to.have.length(5001);
  });
});

describe('substitution', () => {
  it('replaces a value wherever it is read, and leaves the rest as it was', () => {
    const hidden = o.matmul(x, w);
    const other = o.tanh(x);
    const saved = o.input('hidden', ['batch', 2]);
    const [y, unchanged] = o.substitute([o.add(o.relu(hidden), hidden), other], new Map([[hidden, saved]]));
    expect(unchanged).to.equal(other);
    const program = o.makeProgram('after', { y: y! });
    expect(program.inputs.map(({ attributes }) => attributes.name)).to.deep.equal(['hidden']);
    expect(program.parameters).to.have.length(0);
  });

  it('of a root is its replacement', () => {
    expect(o.substitute([x], new Map([[x, w]]))).to.deep.equal([w]);
  });
});
