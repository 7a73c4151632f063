import { expect } from 'chai';
import { compareGradients, type GradientCase } from '../helpers/gradient-check.js';
import { BINDINGS, leavesOf, OP_CASES, type OpCase } from '../helpers/op-cases.js';
import type { Bindings } from '../../src/program/index.js';

/** Central differences leave about h² = 1e-10 of the third derivative and 1e-11 of rounding. */
const TOLERANCE = 1e-7;

async function expectEqualGradients(one: GradientCase): Promise<void> {
  for (const { wrt, analytic, numeric } of await compareGradients(one)) {
    expect(analytic.length, `gradient by ${wrt}`).to.equal(numeric.length);
    numeric.forEach((slope, i) => {
      const distance = Math.abs(analytic[i]! - slope) / Math.max(1, Math.abs(slope));
      expect(distance, `by ${wrt}[${i}]: ${analytic[i]} but differences say ${slope}`).to.be.below(TOLERANCE);
    });
  }
}

const print = (bindings: Bindings): string =>
  Object.entries(bindings)
    .map(([name, size]) => `${name}=${size}`)
    .join(' ');

describe('the derivative of every op is what central differences in float64 say', () => {
  for (const [op, cases] of Object.entries(OP_CASES) as [string, readonly OpCase[]][])
    for (const one of cases)
      for (const bindings of BINDINGS)
        it(`${op}: ${one.title}, ${print(bindings)}`, async () => {
          const values = leavesOf(one);
          await expectEqualGradients({ leaves: one.leaves, values, output: one.build(values), bindings });
        });
});
