/** In which order ACDC visits edges: its result depends on it, so it is a parameter that is recorded. */
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { shuffled } from '../../../circuit/random.js';
import type { Reader, Universe } from '../../../circuit/types.js';

/**
 * Receivers always come after everything downstream of them. Among receivers that are not downstream of each other (the q, k, v of
 * a layer's heads), and among the senders of one receiver: `reverse`, the latest first; `normal`, the earliest first; `random`.
 */
export type AcdcOrder = 'reverse' | 'normal' | `random:${number}`;

/** Every edge once, as a naive loop would try them. */
export function edgeOrder(universe: Universe, order: AcdcOrder): Int32Array {
  const arrange = arranger(order);
  const edges = receiverGroups(universe).flatMap((group) =>
    arrange(group).flatMap((reader) => {
      const { senderCount } = universe.readers[reader] as Reader;
      const senders = arrange(Array.from({ length: senderCount }, (_, sender) => sender));
      return senders.map((sender) => universe.edgeBetween(sender, reader));
    }),
  );
  return Int32Array.from(edges);
}

/** Receivers that are not downstream of each other together, the most downstream group first: logits, MLP, heads, MLP, … */
function receiverGroups({ readers }: Universe): number[][] {
  const groups = new Map<string, number[]>();
  readers.forEach(({ layer, head }, reader) => {
    const key = `${layer} ${head < 0}`;
    groups.set(key, [...(groups.get(key) ?? []), reader]);
  });
  return [...groups.values()].reverse();
}

type Arrange = (ascending: readonly number[]) => readonly number[];

function arranger(order: AcdcOrder): Arrange {
  if (order === 'reverse') return (items) => [...items].reverse();
  if (order === 'normal') return (items) => items;
  const random = xoroshiro128plus(Number(order.slice('random:'.length)));
  return (items) => Array.from(shuffled(items.length, random), (at) => items[at] as number);
}
