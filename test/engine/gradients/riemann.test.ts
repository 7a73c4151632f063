/** Where an integral is evaluated, and with which weights. */
import { expect } from 'chai';
import fc from 'fast-check';
import { RIEMANN_RULES, RULES, describePoints } from '../../../src/engine/gradients/riemann.js';

const at = (points: readonly { at: number }[]): number[] => points.map((one) => one.at);
const weights = (points: readonly { weight: number }[]): number[] => points.map(({ weight }) => weight);
const near = (actual: readonly number[], expected: readonly number[]): void => {
  expect(actual.length).to.equal(expected.length);
  actual.forEach((x, i) => expect(x).to.be.closeTo(expected[i]!, 1e-15));
};

describe('rules of integration', () => {
  it('left: the corrupt end is in, the clean end is not', () => near(at(RULES.left.points(3)), [0, 1 / 3, 2 / 3]));
  it('right: the clean end is in, the corrupt end is not', () => near(at(RULES.right.points(3)), [1 / 3, 2 / 3, 1]));
  it('midpoint: neither', () => near(at(RULES.midpoint.points(3)), [1 / 6, 1 / 2, 5 / 6]));

  it('trapezoid: both, each half as much as a point between', () => {
    near(at(RULES.trapezoid.points(3)), [0, 1 / 2, 1]);
    near(at(RULES.trapezoid.points(4)), [0, 1 / 3, 2 / 3, 1]);
  });

  it("trapezoid weights are captum's, which sum to 1 − 1/n, made to sum to 1", () => {
    const captum = { 3: [1 / 6, 1 / 3, 1 / 6], 4: [1 / 8, 1 / 4, 1 / 4, 1 / 8] };
    for (const [n, theirs] of Object.entries(captum))
      near(
        weights(RULES.trapezoid.points(Number(n))),
        theirs.map((weight) => weight / (1 - 1 / Number(n))),
      );
  });

  it('Gauss–Legendre: two points lie 1/√12 from the middle; three weigh 5/18, 8/18, 5/18', () => {
    near(at(RULES['gauss-legendre'].points(2)), [1 / 2 - 1 / Math.sqrt(12), 1 / 2 + 1 / Math.sqrt(12)]);
    near(at(RULES['gauss-legendre'].points(3)), [(1 - Math.sqrt(0.6)) / 2, 1 / 2, (1 + Math.sqrt(0.6)) / 2]);
    near(weights(RULES['gauss-legendre'].points(3)), [5 / 18, 8 / 18, 5 / 18]);
  });

  /** ∫ of x^degree from 0 to 1 by a rule. */
  const integral = (rule: keyof typeof RULES, count: number, degree: number): number =>
    RULES[rule].points(count).reduce((sum, point) => sum + point.weight * point.at ** degree, 0);

  it('Gauss–Legendre with n points is exact for every polynomial of degree up to 2n − 1 …', () =>
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 20 }), fc.nat(39), (count, degree) => {
        if (degree < 2 * count)
          expect(integral('gauss-legendre', count, degree)).to.be.closeTo(1 / (degree + 1), 1e-14);
      }),
      { seed: 1 },
    ));
  it('… but not for degree 2n', () =>
    expect(Math.abs(integral('gauss-legendre', 2, 4) - 1 / 5)).to.be.greaterThan(1e-3));

  for (const rule of RIEMANN_RULES)
    it(`${rule}: weights sum to 1, points rise within [0, 1]`, () =>
      fc.assert(
        fc.property(fc.integer({ min: RULES[rule].least, max: 60 }), (count) => {
          const points = RULES[rule].points(count);
          expect(points.length).to.equal(count);
          expect(weights(points).reduce((a, b) => a + b)).to.be.closeTo(1, 1e-13);
          at(points).forEach((x, i) => {
            expect(x).to.be.within(0, 1);
            if (i > 0) expect(x).to.be.greaterThan(at(points)[i - 1]!);
          });
        }),
        { seed: 2 },
      ));

  it('integrates x² to 1/3 better with trapezoid and midpoint than with the one-sided rules', () => {
    const error = (rule: keyof typeof RULES) => Math.abs(integral(rule, 5, 2) - 1 / 3);
    for (const rule of ['trapezoid', 'midpoint'] as const)
      for (const oneSided of ['left', 'right'] as const) expect(error(rule)).to.be.below(error(oneSided));
  });

  it('are told in titles', () => {
    expect(describePoints('midpoint', 5)).to.equal('5 midpoints');
    expect(describePoints('left', 1)).to.equal('1 left point');
  });
});
