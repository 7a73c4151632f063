import { expect } from 'chai';
import fc from 'fast-check';
import { measureGemm } from '../../src/runtime/gemm.js';
import { createReferenceRuntime } from '../../src/runtime/reference/index.js';
import { erf } from '../../src/runtime/reference/special.js';

describe('the error function', () => {
  /** As the C library has them (Python's math.erf). */
  const known: [x: number, y: number][] = [
    [0, 0],
    [0.1, 0.1124629160182849],
    [0.5, 0.5204998778130465],
    [1, 0.8427007929497149],
    [2, 0.9953222650189527],
    [3, 0.9999779095030014],
    [4, 0.9999999845827421],
    [6, 1],
    [40, 1],
  ];
  for (const [x, y] of known)
    it(`of ±${x} is ±${y}`, () => {
      expect(erf(x)).to.be.closeTo(y, 4e-16);
      expect(erf(-x)).to.be.closeTo(-y, 4e-16);
    });

  it('has the derivative 2/√π · e^(−x²), also where one formula takes over from the other', () => {
    const slope = (x: number): number => (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x);
    fc.assert(
      fc.property(fc.double({ min: -6, max: 6, noNaN: true }), (x) => {
        const difference = (erf(x + 1e-5) - erf(x - 1e-5)) / 2e-5;
        expect(difference).to.be.closeTo(slope(x), 1e-9);
      }),
      { seed: 5, numRuns: 500, examples: [[2.5], [-2.5], [6]] },
    );
  });

  it('of nothing is nothing', () => expect(erf(NaN)).to.be.NaN);
});

describe('the measured rate of a matrix product', () => {
  it('is a rate: multiplications and additions over time', async () => {
    const rate = await measureGemm(createReferenceRuntime(), { m: 8, k: 8, n: 8, seconds: 0.01 });
    expect(rate).to.be.greaterThan(0);
    expect(rate, 'GFLOP/s of a plain loop').to.be.lessThan(1000);
  });
});
