/** Which pairs serve for discovery, for choosing a circuit's size, and for reporting. */
import { seeded } from './random.js';
import type { Splits } from './types.js';

export const SPLIT_NAMES = ['discover', 'choose', 'report'] as const;

/** Fewer distinct pairs than this cannot be split. */
export const FEWEST_TO_SPLIT = 4;

/** Every pair in every split. */
export const wholeSplits = (count: number, seed: number): Splits => {
  const all = Array.from({ length: count }, (_, index) => index);
  return { discover: all, choose: all, report: all, whole: true, seed };
};

/**
 * 50 % discover, 25 % choose, 25 % report, drawn by seed. Pairs with the same key stay together, so a prompt that was
 * seen during discovery is never reported on; with at least {@link FEWEST_TO_SPLIT} keys no split is empty.
 *
 * @param keys one per pair; equal keys mark pairs that must not be told apart
 */
export const drawSplits = (keys: readonly string[], seed: number): Splits => {
  const members = new Map<string, number[]>();
  keys.forEach((key, index) => {
    const same = members.get(key);
    if (same) same.push(index);
    else members.set(key, [index]);
  });
  const discover = Math.round(keys.length / 2);
  const report = Math.ceil((keys.length - discover) / 2);
  const bins = [
    { wanted: discover, pairs: [] as number[] },
    { wanted: keys.length - discover - report, pairs: [] as number[] },
    { wanted: report, pairs: [] as number[] },
  ];
  const missing = (bin: (typeof bins)[number]): number => bin.wanted - bin.pairs.length;
  // large groups first, each to where most is missing; of equals, to the emptiest
  const groups = seeded(seed)
    .shuffled([...members.values()])
    .sort((a, b) => b.length - a.length);
  for (const group of groups) {
    const neediest = [...bins].sort((a, b) => missing(b) - missing(a) || a.pairs.length - b.pairs.length)[0];
    neediest?.pairs.push(...group);
  }
  const [chosenDiscover, chosenChoose, chosenReport] = bins.map((bin) => bin.pairs.sort((a, b) => a - b));
  return { discover: chosenDiscover ?? [], choose: chosenChoose ?? [], report: chosenReport ?? [], whole: false, seed };
};
