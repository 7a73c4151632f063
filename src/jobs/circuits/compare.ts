/** How alike two circuits are, edge by edge and node by node, and how well the scores of one find the other. */
import { auroc, overlapOf, type Overlap } from '../../circuit/compare.js';
import { countIn } from '../../circuit/prune.js';
import type { Universe } from '../../circuit/types.js';
import { nodeOfReader } from '../../circuit/universe.js';
import { openCircuit, requireSameGraph, type OpenedCircuit } from './open.js';

export interface Comparison {
  /** A, then B */
  readonly circuits: readonly {
    readonly name: string;
    readonly kind: string;
    readonly edges: number;
    readonly nodes: number;
  }[];
  /** what is counted, and how much of it both have; shares are null where there is nothing to compare */
  readonly overlaps: readonly (Omit<Overlap, 'jaccard' | 'overlap'> & {
    readonly granularity: string;
    readonly jaccard: number | null;
    readonly overlap: number | null;
  })[];
  /** area under the ROC curve of |scores| of one against the edges of the other; absent where there are no scores */
  readonly auroc: readonly { readonly scores: string; readonly against: string; readonly value: number | null }[];
}

/** @throws TheveninError circuit/architecture, and what {@link openCircuit} throws */
export async function compare(first: string, second: string): Promise<Comparison> {
  const [a, b] = [await openCircuit(first), await openCircuit(second)];
  requireSameGraph(a.universe, b.universe, `${first} and ${second} are circuits of different graphs`);
  const { universe } = a;
  const overlaps = [
    { granularity: 'edges, of queries, keys and values apart', ...overlapOf(a.edges, b.edges) },
    { granularity: 'edges from node to node', ...overlapOf(betweenNodes(universe, a.edges), betweenNodes(universe, b.edges)) },
    { granularity: 'nodes', ...overlapOf(a.nodes, b.nodes) },
  ];
  return {
    circuits: [a, b].map(({ name, kind, edges, nodes }) => ({ name, kind, edges: countIn(edges), nodes: countIn(nodes) })),
    overlaps: overlaps.map((one) => ({ ...one, jaccard: orNull(one.jaccard), overlap: orNull(one.overlap) })),
    auroc: [...area(a, b, ['A', 'B']), ...area(b, a, ['B', 'A'])],
  };
}

const orNull = (share: number): number | null => (Number.isFinite(share) ? share : null);

/** [sender · nodes + node read] 1 = some edge between the two; the logits count as a node. */
function betweenNodes(universe: Universe, edges: Uint8Array): Uint8Array {
  const width = universe.senders.length + 1;
  const pairs = new Uint8Array(universe.senders.length * width);
  edges.forEach((inside, edge) => {
    if (inside) pairs[universe.edgeSender[edge]! * width + 1 + nodeOfReader(universe, universe.edgeReader[edge]!)] = 1;
  });
  return pairs;
}

/** Unscored edges rank last. */
function area(of: OpenedCircuit, against: OpenedCircuit, [scores, other]: readonly [string, string]): Comparison['auroc'] {
  if (of.scores === null) return [];
  const sizes = of.scores.map((score) => (Number.isFinite(score) ? Math.abs(score) : -1));
  return [{ scores, against: other, value: orNull(auroc(sizes, against.edges)) }];
}
