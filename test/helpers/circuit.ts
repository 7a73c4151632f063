/** Graphs, chosen circuits and what EAP-IG's prune leaves of them, from the architecture goldens. */
import { readFileSync } from 'node:fs';
import { makeUniverse } from '../../src/circuit/universe.js';
import type { Universe } from '../../src/circuit/types.js';

interface StoredGraph {
  readonly graph: { readonly n_layers: number; readonly n_heads: number; readonly parallel_attn_mlp: boolean };
  readonly edges: readonly string[];
  readonly circuits: readonly { readonly chosen: readonly number[]; readonly pruned: readonly number[] }[];
}

export type GraphGolden = Pick<StoredGraph, 'edges' | 'circuits'> & { readonly universe: Universe };

export const graphGoldens = (model: 'gpt2' | 'gpt_neox' | 'llama'): GraphGolden => {
  const file = new URL('../goldens/circuit/eap-ig-graphs.json', import.meta.url);
  const { graph, edges, circuits } = (JSON.parse(readFileSync(file, 'utf8')) as Record<string, StoredGraph>)[model]!;
  const universe = makeUniverse({
    nLayers: graph.n_layers,
    nHeads: graph.n_heads,
    hasMlp: true,
    parallelBlocks: graph.parallel_attn_mlp,
  });
  return { universe, edges, circuits };
};

/** [edge] 1 at the given edges. */
export const edgeMask = (universe: Universe, edges: Iterable<number>): Uint8Array => {
  const mask = new Uint8Array(universe.edgeCount);
  for (const edge of edges) mask[edge] = 1;
  return mask;
};

/** The edges a mask holds, in canonical order. */
export const edgesOf = (mask: Uint8Array): number[] => [...mask.keys()].filter((edge) => mask[edge] === 1);
