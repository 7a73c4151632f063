/** Shapley values: what a player adds, averaged over all orders in which the players can arrive (Shapley 1953). */
import { seeded, type Random } from '../../task/random.js';
import { isSame, valuesAt, withAtBaseline, type Group, type ScalarFunction, type Way } from './function.js';
import { solve } from './solve.js';

/** [player] 1 = in */
type Coalition = Uint8Array;

/** What coalitions of players are worth. */
export interface Game {
  readonly players: number;
  worth(coalitions: readonly Coalition[]): Promise<Float64Array>;
}

export interface SamplingSetting {
  /** coalitions whose worth is asked where they cannot all be, beside those of one player and of all but one */
  readonly samples: number;
  readonly seed: number;
}

/** Up to so many players every coalition is asked: 4,096 of them. */
export const EXACT_PLAYERS = 12;

/** Groups of elements are the players: those outside a coalition stand at the baseline. Groups must not overlap. */
function gameOf(f: ScalarFunction, way: Way, groups: readonly Group[]): Game {
  const outside = (coalition: Coalition): Group[] => groups.filter((_, player) => coalition[player] === 0);
  return {
    players: groups.length,
    worth: (coalitions) =>
      valuesAt(f, coalitions.length, (i) => withAtBaseline(way, outside(coalitions[i] as Coalition))),
  };
}

/**
 * The Shapley value of each group: exact up to 12 groups that differ from the baseline, by KernelSHAP above. They sum to
 * f(x) − f(x with all groups at the baseline). Cost: 2ⁿ forward passes for n groups that differ, or 2 + 2n + `samples`.
 */
export async function shapley(
  f: ScalarFunction,
  { way, groups }: { readonly way: Way; readonly groups: readonly Group[] },
  setting: SamplingSetting,
): Promise<Float64Array> {
  const differing = groups.flatMap((group, i) => (isSame(way, group) ? [] : [i]));
  const game = gameOf(
    f,
    way,
    differing.map((i) => groups[i] as Group),
  );
  const found = await (game.players <= EXACT_PLAYERS ? exactShapley(game) : kernelShap(game, setting));
  const values = new Float64Array(groups.length);
  differing.forEach((i, k) => (values[i] = found[k] as number));
  return values;
}

/** φᵢ = Σ over coalitions S without i of |S|! (n − |S| − 1)! / n! · (worth(S ∪ i) − worth(S)). Cost: 2ⁿ coalitions. */
export async function exactShapley(game: Game): Promise<Float64Array> {
  const n = game.players;
  const coalitions = Array.from({ length: 2 ** n }, (_, bits) =>
    Uint8Array.from({ length: n }, (_, i) => (bits >> i) & 1),
  );
  const worth = await game.worth(coalitions);
  const sizes = coalitions.map((coalition) => coalition.reduce((sum, one) => sum + one, 0));
  // |S|! (n − |S| − 1)! / n! = 1 / (n · C(n − 1, |S|))
  const share = Array.from({ length: n }, (_, size) => 1 / (n * choose(n - 1, size)));
  return Float64Array.from({ length: n }, (_, player) =>
    coalitions.reduce((sum, coalition, bits) => {
      if (coalition[player] === 1) return sum;
      return (
        sum +
        (share[sizes[bits] as number] as number) * ((worth[bits | (1 << player)] as number) - (worth[bits] as number))
      );
    }, 0),
  );
}

interface Weighted {
  readonly coalition: Coalition;
  readonly weight: number;
}

/**
 * The Shapley values as the weighted least-squares fit of an additive game, (n − 1) / (C(n, s) · s · (n − s)) the weight of a
 * coalition of s players, sum fixed to worth(all) − worth(none) (Lundberg & Lee, arXiv:1705.07874). Small and large coalitions,
 * which weigh most, are all asked while `samples` allows; of the sizes between, pairs of a coalition and its complement are drawn.
 */
export async function kernelShap(game: Game, { samples, seed }: SamplingSetting): Promise<Float64Array> {
  const n = game.players;
  const drawn = drawCoalitions(n, 2 * n + samples, seeded(seed));
  const ends = [new Uint8Array(n), new Uint8Array(n).fill(1)];
  const [none = 0, all = 0, ...worth] = await game.worth([...ends, ...drawn.map(({ coalition }) => coalition)]);
  // the last player is what the sum leaves: φₙ = (all − none) − Σ others
  const m = n - 1;
  const [normal, right] = [new Float64Array(m * m), new Float64Array(m)];
  drawn.forEach(({ coalition, weight }, k) => {
    const last = coalition[m] as number;
    const column = Float64Array.from({ length: m }, (_, i) => (coalition[i] as number) - last);
    const target = (worth[k] as number) - none - last * (all - none);
    column.forEach((x, i) => {
      if (x === 0) return;
      right[i] = (right[i] as number) + weight * x * target;
      column.forEach((y, j) => (normal[i * m + j] = (normal[i * m + j] as number) + weight * x * y));
    });
  });
  const others = solve(normal, right);
  return Float64Array.from([...others, all - none - others.reduce((sum, value) => sum + value, 0)]);
}

function drawCoalitions(n: number, samples: number, random: Random): Weighted[] {
  const sizes = Array.from({ length: Math.floor(n / 2) }, (_, i) => i + 1); // each stands for its complement's size, too
  const mass = (size: number): number => ((n - 1) / (size * (n - size))) * (2 * size === n ? 1 : 2);
  const result: Weighted[] = [];
  let size = 1;
  for (; 2 * size <= n; size++) {
    const count = choose(n, size) * (2 * size === n ? 1 : 2);
    if (result.length + count > samples) break;
    for (const players of subsets(n, size)) {
      const weight = mass(size) / count;
      result.push({ coalition: coalitionOf(n, players), weight });
      if (2 * size !== n) result.push({ coalition: complement(coalitionOf(n, players)), weight });
    }
  }
  const left = sizes.filter((one) => one >= size);
  const total = left.reduce((sum, one) => sum + mass(one), 0);
  const pairs = left.length === 0 ? 0 : Math.floor((samples - result.length) / 2);
  for (let pair = 0; pair < pairs; pair++) {
    const players = random.shuffled(Array.from({ length: n }, (_, i) => i)).slice(0, drawSize(left, mass, random));
    const coalition = coalitionOf(n, players);
    const weight = total / (2 * pairs);
    result.push({ coalition, weight }, { coalition: complement(coalition), weight });
  }
  return result;
}

/** A size with probability in proportion to its mass. */
function drawSize(sizes: readonly number[], mass: (size: number) => number, random: Random): number {
  const total = sizes.reduce((sum, size) => sum + mass(size), 0);
  let rest = (random.between(0, 2 ** 30 - 1) / 2 ** 30) * total;
  return sizes.find((size) => (rest -= mass(size)) < 0) ?? (sizes.at(-1) as number);
}

const coalitionOf = (n: number, players: readonly number[]): Coalition => {
  const coalition: Coalition = new Uint8Array(n);
  for (const player of players) coalition[player] = 1;
  return coalition;
};

const complement = (coalition: Coalition): Coalition => coalition.map((one) => 1 - one);

function* subsets(n: number, size: number, from = 0): Generator<readonly number[]> {
  if (size === 0) yield [];
  else
    for (let first = from; first <= n - size; first++)
      for (const rest of subsets(n, size - 1, first + 1)) yield [first, ...rest];
}

const choose = (n: number, k: number): number => (k === 0 ? 1 : (choose(n - 1, k - 1) * n) / k);
