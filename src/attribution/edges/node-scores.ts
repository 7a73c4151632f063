import { nodeOfReader } from '../../circuit/universe.js';
import type { Universe } from '../../circuit/types.js';

/**
 * Scores of senders from scores of edges: a node's is the sum over its outgoing edges, since first-order effects add up. From EAP
 * this is attribution patching of nodes (Nanda 2023); from any method, one number per [sender] in the universe's order.
 *
 * @param scores [edge], or one example's part of a longer list
 */
export function nodeScores({ senders, edgeSender }: Universe, scores: ArrayLike<number>): Float64Array {
  const sums = new Float64Array(senders.length);
  edgeSender.forEach((sender, edge) => (sums[sender]! += scores[edge]!));
  return sums;
}

/**
 * Scores of edges from the importance of nodes [sender]: an edge has that of its less important end, so that the edges above a
 * threshold are those between the nodes above it. `input` and `logits` are in every circuit: only an edge's other end counts.
 */
export function edgesBetween(universe: Universe, importance: ArrayLike<number>): Float64Array {
  const { edgeSender, edgeReader } = universe;
  const highest = Math.max(...Array.from(importance).slice(1));
  const ofNode = (node: number): number => (node > 0 ? importance[node]! : highest);
  return Float64Array.from(edgeSender, (sender, edge) =>
    Math.min(ofNode(sender), ofNode(nodeOfReader(universe, edgeReader[edge]!))),
  );
}
