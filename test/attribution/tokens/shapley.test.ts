/** Games whose Shapley values are known. */
import { expect } from 'chai';
import fc from 'fast-check';
import { exactShapley, kernelShap, type Game } from '../../../src/attribution/tokens/shapley.js';

const gameOf = (players: number, worth: (coalition: Uint8Array) => number): Game => ({
  players,
  worth: (coalitions) => Promise.resolve(Float64Array.from(coalitions, worth)),
});
const total = (values: ArrayLike<number>): number => Array.from(values).reduce((sum, x) => sum + x, 0);
const near = (actual: Float64Array, expected: readonly number[], tolerance: number): void =>
  expected.forEach((x, i) => expect(actual[i], `player ${i}`).to.be.closeTo(x, tolerance));

/** One left glove and several right ones: a pair is worth 1. */
const gloves = (players: number): Game =>
  gameOf(players, ([left, ...right]) => (left === 1 && right.includes(1) ? 1 : 0));
const worthOf = (weights: readonly number[]) => (coalition: Uint8Array) =>
  weights.reduce((sum, weight, i) => sum + weight * coalition[i]!, 5);

describe('exact Shapley values', () => {
  it('of the glove game: 2/3 for the only left glove, 1/6 for each of two right ones', async () =>
    near(await exactShapley(gloves(3)), [2 / 3, 1 / 6, 1 / 6], 1e-12));

  it('share the worth of all: efficiency, symmetry, and nothing for who adds nothing', () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.double({ min: -5, max: 5, noNaN: true }), { minLength: 16, maxLength: 16 }),
        async (table) => {
          // players 0 and 1 are alike, player 4 is a dummy
          const game = gameOf(5, ([a, b, c, d]) => table[a! + b! + 4 * c! + 8 * d!]!);
          const values = await exactShapley(game);
          expect(total(values)).to.be.closeTo(table[14]! - table[0]!, 1e-9);
          expect(values[0]).to.be.closeTo(values[1]!, 1e-9);
          expect(values[4]).to.be.closeTo(0, 1e-12);
        },
      ),
      { seed: 1, numRuns: 50 },
    ));

  it('of a game without players: none', async () => expect(await exactShapley(gameOf(0, () => 3))).to.have.length(0));
});

describe('KernelSHAP', () => {
  it('is exact when every coalition is asked', async () => {
    const game = gameOf(6, (coalition) => Math.sin(coalition.reduce((code, one, i) => code + one * 2 ** i, 0)));
    near(await kernelShap(game, { samples: 50, seed: 0 }), [...(await exactShapley(game))], 1e-9);
  });

  it('is exact for additive games, however few coalitions are drawn', async () => {
    const weights = Array.from({ length: 20 }, (_, i) => Math.cos(i));
    near(await kernelShap(gameOf(20, worthOf(weights)), { samples: 0, seed: 3 }), weights, 1e-9);
  });

  it('comes near with samples, sums exactly, and repeats itself with the same seed', async () => {
    const game = gloves(14); // the left glove's value is 13/14
    const values = await kernelShap(game, { samples: 1500, seed: 2 });
    near(values, [13 / 14, ...Array<number>(13).fill(1 / 14 / 13)], 0.02);
    expect(total(values)).to.be.closeTo(1, 1e-9);
    expect(await kernelShap(game, { samples: 1500, seed: 2 })).to.deep.equal(values);
    expect(await kernelShap(game, { samples: 1500, seed: 4 })).not.to.deep.equal(values);
  });
});
