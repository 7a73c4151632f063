/**
 * Dead ends removed to a fixpoint: a node with no incoming edge left (any of q, k, v counts; `input` needs none) or no outgoing
 * one loses its edges, until nothing changes. (EAP-IG's `Graph.prune`.)
 *
 * The graph is acyclic, so the fixpoint is known in closed form: an edge stays exactly when its sender can be reached from
 * `input` and its reader's node reaches `logits` through the mask. Canonical order is topological (every edge into a node comes
 * before every edge out of it), so one sweep each way over the edges finds both.
 */
import type { Universe } from './types.js';
import { nodeOfReader } from './universe.js';

/** [reader] the sender of the same node; -1 for logits. */
const nodesOfReaders = (universe: Universe): Int32Array =>
  Int32Array.from(universe.readers, (_, reader) => nodeOfReader(universe, reader));

/**
 * The edges of `mask` ([edge], 1 = in) that lie on a path from `input` to `logits` within it.
 *
 * Pure; linear in the number of edges.
 */
export const prune = (universe: Universe, mask: Uint8Array): Uint8Array => {
  const { edgeCount, edgeSender, edgeReader } = universe;
  const nodeOf = nodesOfReaders(universe);
  const fed = new Uint8Array(universe.senders.length); // reached from input
  fed[0] = 1;
  for (let e = 0; e < edgeCount; e++) {
    const node = nodeOf[edgeReader[e]!]!;
    if (mask[e] && fed[edgeSender[e]!] && node >= 0) fed[node] = 1;
  }
  const heard = new Uint8Array(universe.senders.length); // reaches logits
  const kept = new Uint8Array(edgeCount);
  for (let e = edgeCount - 1; e >= 0; e--) {
    const sender = edgeSender[e]!;
    const node = nodeOf[edgeReader[e]!]!;
    if (!mask[e] || !fed[sender] || (node >= 0 && !heard[node])) continue;
    heard[sender] = 1;
    kept[e] = 1;
  }
  return kept;
};

/** How many edges a mask holds. */
export const countIn = (mask: Uint8Array): number => {
  let count = 0;
  for (const inside of mask) count += inside;
  return count;
};
