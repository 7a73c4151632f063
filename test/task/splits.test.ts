import { expect } from 'chai';
import fc from 'fast-check';
import { batches } from '../../src/task/batches.js';
import { drawSplits, FEWEST_TO_SPLIT, SPLIT_NAMES, wholeSplits } from '../../src/task/splits.js';

const seeded = { seed: 20240, numRuns: 300 };
const distinct = (count: number): string[] => Array.from({ length: count }, (_, index) => `pair ${index}`);
const sizes = (count: number): number[] => SPLIT_NAMES.map((name) => drawSplits(distinct(count), 0)[name].length);

describe('splits', () => {
  it('take half of the pairs for discovery and a quarter each for choosing and reporting', () => {
    expect(sizes(64)).to.deep.equal([32, 16, 16]);
    expect(sizes(96)).to.deep.equal([48, 24, 24]);
    expect(sizes(4)).to.deep.equal([2, 1, 1]);
  });

  it('hold every pair in exactly one split', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ maxLength: 2 }), { maxLength: 60 }), fc.integer(), (keys, seed) => {
        const { discover, choose, report } = drawSplits(keys, seed);
        expect([...discover, ...choose, ...report].sort((a, b) => a - b)).to.deep.equal(keys.map((_, index) => index));
      }),
      seeded,
    );
  });

  it('keep pairs with the same prompts together', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 12 }), { maxLength: 60 }), fc.integer(), (numbers, seed) => {
        const keys = numbers.map(String);
        const drawn = drawSplits(keys, seed);
        const splitOfKey = new Map<string, string>();
        for (const name of SPLIT_NAMES) {
          for (const index of drawn[name]) {
            const key = keys[index] as string;
            expect(splitOfKey.get(key) ?? name).to.equal(name);
            splitOfKey.set(key, name);
          }
        }
      }),
      seeded,
    );
  });

  it(`leave none empty when there are ${FEWEST_TO_SPLIT} different pairs or more`, () => {
    fc.assert(
      fc.property(fc.array(fc.nat(9), { minLength: 4, maxLength: 10 }), fc.integer(), (repeats, seed) => {
        const keys = repeats.flatMap((count, index) => Array.from({ length: count + 1 }, () => `pair ${index}`));
        for (const name of SPLIT_NAMES) expect(drawSplits(keys, seed)[name]).to.not.be.empty;
      }),
      seeded,
    );
  });

  it('are the same for the same seed, and others for another', () => {
    const keys = distinct(40);
    expect(drawSplits(keys, 3)).to.deep.equal(drawSplits(keys, 3));
    expect(drawSplits(keys, 3).discover).to.not.deep.equal(drawSplits(keys, 4).discover);
  });

  it('are the whole task, and say so, when it is not split', () => {
    expect(wholeSplits(2, 9)).to.deep.equal({ discover: [0, 1], choose: [0, 1], report: [0, 1], whole: true, seed: 9 });
  });
});

describe('batches', () => {
  it('put examples of equal length together, shortest first, without padding', () => {
    const lengths = [3, 5, 3, 4];
    const examples = lengths.map((length) => ({ clean: Array.from({ length }, () => 1) }));
    expect(batches(examples)).to.deep.equal([
      { length: 3, indices: [0, 2] },
      { length: 4, indices: [3] },
      { length: 5, indices: [1] },
    ]);
  });

  it('hold every example once, at its own length', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 6 }), { maxLength: 30 }), (lengths) => {
        const groups = batches(lengths.map((length) => ({ clean: Array.from({ length }, () => 0) })));
        expect(groups.flatMap(({ indices }) => indices).sort((a, b) => a - b)).to.deep.equal(
          lengths.map((_, at) => at),
        );
        for (const { length, indices } of groups) for (const at of indices) expect(lengths[at]).to.equal(length);
      }),
      seeded,
    );
  });
});
