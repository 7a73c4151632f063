import { expectEqualGradients } from '../helpers/gradient-check.js';
import { BINDINGS, leavesOf, OP_CASES, type OpCase } from '../helpers/op-cases.js';
import type { Bindings } from '../../src/program/index.js';

const print = (bindings: Bindings): string =>
  Object.entries(bindings)
    .map(([name, size]) => `${name}=${size}`)
    .join(' ');

describe('the derivative of every op is what central differences in float64 say', () => {
  for (const [op, cases] of Object.entries<readonly OpCase[]>(OP_CASES))
    for (const one of cases)
      for (const bindings of BINDINGS)
        it(`${op}: ${one.title}, ${print(bindings)}`, async () => {
          const values = leavesOf(one);
          await expectEqualGradients({ leaves: one.leaves, values, output: one.build(values), bindings });
        });
});
