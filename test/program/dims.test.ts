import { expect } from 'chai';
import fc from 'fast-check';
import { addDims, bindShape, evaluateDim, evaluateShape, multiplyDims, type Dim } from '../../src/program/index.js';
import { broadcastShapes, dimNames, subtractDims } from '../../src/program/dims.js';

const NAMES = ['batch', 'pos', 'prefix'];
const BINDINGS = { batch: 3, pos: 5, prefix: 7 };

/** A polynomial as sums of products, and the number it must come to. */
interface Polynomial {
  readonly dim: Dim;
  readonly value: number;
}

const leaf: fc.Arbitrary<Polynomial> = fc.oneof(
  fc.constantFrom(...(['batch', 'pos', 'prefix'] as const)).map((name) => ({ dim: name, value: BINDINGS[name] })),
  fc.integer({ min: 0, max: 9 }).map((value) => ({ dim: value, value })),
);

const { polynomial } = fc.letrec<{ polynomial: Polynomial }>((tie) => ({
  polynomial: fc.oneof(
    { maxDepth: 4 },
    leaf,
    fc
      .tuple(tie('polynomial'), tie('polynomial'))
      .map(([a, b]) => ({ dim: addDims(a.dim, b.dim), value: a.value + b.value })),
    fc
      .tuple(tie('polynomial'), tie('polynomial'))
      .map(([a, b]) => ({ dim: multiplyDims(a.dim, b.dim), value: a.value * b.value })),
  ),
}));

const check = (...properties: fc.IProperty<unknown[]>[]): void =>
  properties.forEach((property) => fc.assert(property as fc.IProperty<unknown>, { seed: 3, numRuns: 200 }));

describe('named dims', () => {
  it('are spelled one way: names sorted in a product, products sorted in a sum, the constant last', () => {
    expect(multiplyDims('pos', 'batch')).to.equal('batch*pos');
    expect(addDims('prefix', 2, 'pos', 3)).to.equal('pos+prefix+5');
    expect(addDims('pos', 'pos')).to.equal('2*pos');
    expect(multiplyDims('batch', addDims('pos', 1))).to.equal('batch+batch*pos');
  });

  it('are plain numbers where nothing named is left', () => {
    expect(multiplyDims(3, 4)).to.equal(12);
    expect(multiplyDims()).to.equal(1);
    expect(subtractDims('pos', 'pos')).to.equal(0);
    expect(multiplyDims('pos', 0)).to.equal(0);
    expect(subtractDims(addDims('prefix', 'pos'), 'prefix')).to.equal('pos');
  });

  it('obey the laws of arithmetic, so that equal dims are the same text', () => {
    check(
      fc.property(polynomial, polynomial, (a, b) => {
        expect(addDims(a.dim, b.dim)).to.equal(addDims(b.dim, a.dim));
        expect(multiplyDims(a.dim, b.dim)).to.equal(multiplyDims(b.dim, a.dim));
      }),
      fc.property(polynomial, polynomial, polynomial, (a, b, c) => {
        expect(addDims(addDims(a.dim, b.dim), c.dim)).to.equal(addDims(a.dim, addDims(b.dim, c.dim)));
        expect(multiplyDims(a.dim, addDims(b.dim, c.dim))).to.equal(
          addDims(multiplyDims(a.dim, b.dim), multiplyDims(a.dim, c.dim)),
        );
        expect(subtractDims(addDims(a.dim, b.dim), b.dim)).to.equal(a.dim);
      }),
    );
  });

  it('come to the number that the same arithmetic on their values gives', () => {
    check(
      fc.property(polynomial, ({ dim, value }) => {
        expect(evaluateDim(dim, BINDINGS)).to.equal(value);
        expect(NAMES).to.include.members(dimNames(dim));
      }),
    );
  });

  it('must be bound', () => {
    expect(() => evaluateShape(['batch', 'pos'], { batch: 2 })).to.throw('the dim pos is not bound');
  });

  it('are bound by the sizes of an input, once', () => {
    const bindings: Record<string, number> = {};
    expect(bindShape(['batch', 'pos', 4], [2, 3, 4], bindings)).to.equal(true);
    expect(bindings).to.deep.equal({ batch: 2, pos: 3 });
    expect(bindShape(['pos'], [5], bindings), 'pos is 3 already').to.equal(false);
    expect(bindShape([4], [5], bindings), 'a number').to.equal(false);
    expect(bindShape(['batch'], [2, 1], bindings), 'another rank').to.equal(false);
    expect(bindShape(['pos+prefix'], [9], bindings), 'sums bind nothing').to.equal(true);
    expect(bindings).to.deep.equal({ batch: 2, pos: 3 });
  });
});

describe('broadcasting of shapes', () => {
  it('is numpy’s, and a named dim fits itself and 1 alone', () => {
    expect(broadcastShapes(['batch', 1, 4], ['pos', 1])).to.deep.equal(['batch', 'pos', 4]);
    expect(broadcastShapes([], [2, 3])).to.deep.equal([2, 3]);
    expect(broadcastShapes(['batch'], ['pos'])).to.equal(null);
    expect(broadcastShapes(['batch'], [2])).to.equal(null);
    expect(broadcastShapes([2, 3], [2])).to.equal(null);
  });
});
