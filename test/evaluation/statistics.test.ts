import { expect } from 'chai';
import {
  correlation,
  estimateMean,
  meanOf,
  rankCorrelation,
  studentQuantile,
} from '../../src/evaluation/statistics/intervals.js';

describe('evaluation/statistics', () => {
  // two-sided 95 % points of Student's t, from any printed table
  for (const [freedom, expected] of [
    [1, 12.7062],
    [2, 4.3027],
    [10, 2.2281],
    [30, 2.0423],
    [1000, 1.9623],
  ] as const)
    it(`Student's t with ${freedom} degrees of freedom: ${expected}`, () => {
      expect(studentQuantile(0.975, freedom)).closeTo(expected, 5e-5);
    });

  it('the median of t is 0 and p is reached from below', () => {
    expect(studentQuantile(0.5, 7)).closeTo(0, 1e-9);
  });

  it('mean ± t · s / √n, by hand: 1, 2, 3, 4 → 2.5 ± 3.1824 · 1.2910 / 2', () => {
    const { mean, low, high, count } = estimateMean([1, 2, 3, 4]);
    expect([mean, count]).deep.equal([2.5, 4]);
    expect(low).closeTo(2.5 - 2.05426, 1e-4);
    expect(high).closeTo(2.5 + 2.05426, 1e-4);
  });

  it('one value has no interval', () => {
    expect(estimateMean([7])).deep.equal({ mean: 7, low: null, high: null, count: 1 });
  });

  it('equal values have an interval of no width', () => {
    expect(estimateMean([2, 2, 2])).deep.equal({ mean: 2, low: 2, high: 2, count: 3 });
    expect(meanOf([2, 4])).equal(3);
  });

  it('correlation, by hand: deviations (−1, 0, 1) and (−1, −1, 2) give 3 / √(2 · 6)', () => {
    expect(correlation([1, 2, 3], [1, 1, 4])).closeTo(3 / Math.sqrt(12), 1e-12);
    expect(correlation([1, 2, 3], [5, 3, 1])).closeTo(-1, 1e-12);
  });

  it('of ranks, by hand: (1, 2, 3) and (1½, 1½, 3); any rising curve is a line', () => {
    expect(rankCorrelation([1, 2, 3], [1, 1, 4])).closeTo(1.5 / Math.sqrt(2 * 1.5), 1e-12);
    expect(rankCorrelation([1, 2, 3, 4], [-8, 0, 0.1, 1000])).closeTo(1, 1e-12);
  });

  it('there is no correlation with what does not vary', () => {
    expect([correlation([1, 2], [3, 3]), rankCorrelation([], [])]).deep.equal([null, null]);
  });
});
