import { expect } from 'chai';
import { bootstrapInterval } from '../../src/evaluation/statistics/bootstrap.js';
import { estimateMean, meanOf } from '../../src/evaluation/statistics/intervals.js';
import { uniform } from '../helpers/op-cases.js';

describe('bootstrap intervals', () => {
  const meanAt = (values: readonly number[]) => (places: Int32Array) => meanOf(Array.from(places, (i) => values[i]!));

  it('of a mean are near Student’s for many values', () => {
    const random = uniform(3);
    const values = Array.from({ length: 200 }, () => random());
    const { low, high } = bootstrapInterval(values.length, meanAt(values), { samples: 4000 })!;
    const student = estimateMean(values);
    const width = student.high! - student.low!;
    expect(low).to.be.closeTo(student.low!, 0.08 * width);
    expect(high).to.be.closeTo(student.high!, 0.08 * width);
  });

  it('of two values reach from one to the other', () =>
    expect(bootstrapInterval(2, meanAt([1, 5]))).to.deep.equal({ low: 1, high: 5 }));

  it('leave out samples without a value, and are none for one example or where no sample has one', () => {
    const shy = (places: Int32Array): number => (places.includes(0) ? NaN : 2);
    expect(bootstrapInterval(3, shy)).to.deep.equal({ low: 2, high: 2 });
    expect(bootstrapInterval(3, () => NaN)).to.equal(null);
    expect(bootstrapInterval(1, () => 1)).to.equal(null);
  });

  it('are the same for the same seed', () => {
    const values = [1, 2, 4, 8, 16];
    const ask = (seed: number) => bootstrapInterval(5, meanAt(values), { samples: 20, seed });
    expect(ask(1)).to.deep.equal(ask(1));
    expect(ask(1)).not.to.deep.equal(ask(2));
  });
});
