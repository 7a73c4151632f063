/** Seeded drawing for splits and generators: the same seed gives the same draws on every machine. */
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { invariant } from '../errors.js';

export interface Random {
  /** A whole number from `from` to `to`, both included. */
  between(from: number, to: number): number;
  pick<T>(items: readonly T[]): T;
  /** A new array in random order. */
  shuffled<T>(items: readonly T[]): T[];
  /** `count` different items that are not among `except`. */
  distinct<T>(items: readonly T[], count: number, except?: readonly T[]): T[];
}

/** A stream of draws; it advances with every call. */
export const seeded = (seed: number): Random => {
  const source = xoroshiro128plus(seed);
  const between = (from: number, to: number): number => uniformInt(source, from, to);
  const pick = <T>(items: readonly T[]): T => {
    invariant(items.length > 0, 'task/random: nothing to pick from');
    return items[between(0, items.length - 1)] as T;
  };
  /** Fisher–Yates */
  const shuffled = <T>(items: readonly T[]): T[] => {
    const order = [...items];
    for (let last = order.length - 1; last > 0; last--) {
      const other = between(0, last);
      [order[last], order[other]] = [order[other] as T, order[last] as T];
    }
    return order;
  };
  const distinct = <T>(items: readonly T[], count: number, except: readonly T[] = []): T[] => {
    invariant(items.length >= count + except.length, `task/random: ${count} of ${items.length} items asked for`);
    const chosen: T[] = [];
    while (chosen.length < count) {
      const item = pick(items);
      if (!chosen.includes(item) && !except.includes(item)) chosen.push(item);
    }
    return chosen;
  };
  return { between, pick, shuffled, distinct };
};
