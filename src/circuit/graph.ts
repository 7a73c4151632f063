/** A circuit as a graphology graph: what layouts, communities and graph formats work on. */
import { MultiDirectedGraph } from 'graphology';
import type { Circuit, GraphShape, ReaderKind, Universe } from './types.js';
import { nodeOfReader } from './universe.js';

/** A node is a head, an MLP, `input` or `logits`; its key is its name. */
export interface NodeAttributes {
  readonly kind: 'input' | 'head' | 'mlp' | 'logits';
  /** -1 for input, nLayers for logits */
  readonly layer: number;
  /** -1 unless a head */
  readonly head: number;
}

/** An edge's key is its name, e.g. `a0.h1->a2.h3<k>`: between two heads there can be three. */
export interface EdgeAttributes {
  /** in canonical order */
  readonly index: number;
  /** how the target reads it */
  readonly reader: ReaderKind;
  readonly score: number;
  readonly inCircuit: boolean;
}

export interface CircuitGraphAttributes {
  readonly shape: GraphShape;
}

export type CircuitGraph = MultiDirectedGraph<
  NodeAttributes & { [name: string]: unknown },
  EdgeAttributes & { [name: string]: unknown },
  CircuitGraphAttributes & { [name: string]: unknown }
>;

/** Nodes `input` and `logits` are always there; others where an edge of the graph touches them. */
const addNodes = (graph: CircuitGraph, universe: Universe, touched: (sender: number) => boolean): void => {
  universe.senders.forEach(({ name, kind, layer, head }, s) => {
    if (s === 0 || touched(s)) graph.addNode(name, { kind, layer, head });
  });
  graph.addNode('logits', { kind: 'logits', layer: universe.shape.nLayers, head: -1 });
};

/**
 * Builds the graph of a circuit's edges (`all: false`, the default) or of the whole universe with the circuit marked in it.
 * `scores`: [edge]. Nodes and edges come in canonical order.
 */
export const circuitGraph = (
  universe: Universe,
  { scores, circuit, all = false }: { scores: Float64Array; circuit: Pick<Circuit, 'edges'>; all?: boolean },
): CircuitGraph => {
  const graph: CircuitGraph = new MultiDirectedGraph({ allowSelfLoops: false });
  graph.setAttribute('shape', universe.shape);
  const drawn = [...circuit.edges.keys()].filter((edge) => all || circuit.edges[edge] === 1);
  const senders = new Set(drawn.map((edge) => universe.edgeSender[edge]!));
  const targets = new Set(drawn.map((edge) => nodeOfReader(universe, universe.edgeReader[edge]!)));
  addNodes(graph, universe, (sender) => senders.has(sender) || targets.has(sender));
  for (const edge of drawn) {
    const reader = universe.edgeReader[edge]!;
    const target = universe.senders[nodeOfReader(universe, reader)]?.name ?? 'logits';
    graph.addDirectedEdgeWithKey(universe.edgeName(edge), universe.senders[universe.edgeSender[edge]!]!.name, target, {
      index: edge,
      reader: universe.readers[reader]!.kind,
      score: scores[edge]!,
      inCircuit: circuit.edges[edge] === 1,
    });
  }
  return graph;
};
