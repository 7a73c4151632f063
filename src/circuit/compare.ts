/** How alike two circuits are, and how well scores find a reference circuit. */
import { invariant } from '../errors.js';
import type { Universe } from './types.js';
import { nodeOfReader } from './universe.js';

/** Two sets, A and B, of edges or of nodes. Shares of an empty set are NaN: there is nothing to compare. */
export interface Overlap {
  readonly both: number;
  readonly onlyFirst: number;
  readonly onlySecond: number;
  /** |A ∩ B| / |A ∪ B| */
  readonly jaccard: number;
  /** |A ∩ B| / min(|A|, |B|) */
  readonly overlap: number;
}

/** How much of two sets over the same members ([member] 1 = in) is in both. */
export const overlapOf = (first: Uint8Array, second: Uint8Array): Overlap => {
  invariant(
    first.length === second.length,
    `sets over ${first.length} and ${second.length} members cannot be compared`,
  );
  let both = 0;
  let onlyFirst = 0;
  let onlySecond = 0;
  first.forEach((inFirst, i) => {
    if (inFirst && second[i]) both++;
    else if (inFirst) onlyFirst++;
    else if (second[i]) onlySecond++;
  });
  const smaller = both + Math.min(onlyFirst, onlySecond);
  return { both, onlyFirst, onlySecond, jaccard: both / (both + onlyFirst + onlySecond), overlap: both / smaller };
};

/** [sender] 1 = the node has an edge in the mask, either way; the logits are not counted. */
export const nodesIn = (universe: Universe, edges: Uint8Array): Uint8Array => {
  const nodes = new Uint8Array(universe.senders.length);
  edges.forEach((inside, edge) => {
    if (!inside) return;
    nodes[universe.edgeSender[edge]!] = 1;
    const node = nodeOfReader(universe, universe.edgeReader[edge]!);
    if (node >= 0) nodes[node] = 1;
  });
  return nodes;
};

/** Compares two sets of edges ([edge], 1 = in) of one universe, and the nodes they touch. */
export const compareCircuits = (
  universe: Universe,
  first: Uint8Array,
  second: Uint8Array,
): { readonly edges: Overlap; readonly nodes: Overlap } => ({
  edges: overlapOf(first, second),
  nodes: overlapOf(nodesIn(universe, first), nodesIn(universe, second)),
});

/**
 * Area under the ROC curve of scores against a reference set, as Mann–Whitney's U with mid-ranks: the probability that a
 * reference edge scores above another edge, ties counting one half. 0.5 = uninformative; NaN when either side is empty.
 */
export const auroc = (scores: ArrayLike<number>, reference: Uint8Array): number => {
  invariant(
    scores.length === reference.length,
    `${scores.length} scores against a reference over ${reference.length} edges`,
  );
  const order = Uint32Array.from(reference, (_, i) => i).sort((a, b) => scores[a]! - scores[b]!);
  let rankSum = 0;
  let positives = 0;
  for (let start = 0; start < order.length;) {
    let end = start + 1;
    while (end < order.length && scores[order[end]!] === scores[order[start]!]) end++;
    const midRank = (start + 1 + end) / 2; // ranks start+1 … end are shared
    for (let i = start; i < end; i++) {
      if (!reference[order[i]!]) continue;
      rankSum += midRank;
      positives++;
    }
    start = end;
  }
  return (rankSum - (positives * (positives + 1)) / 2) / (positives * (order.length - positives));
};
