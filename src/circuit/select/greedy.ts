/**
 * Grown from the logits upstream: of all edges into nodes already in the circuit the best is taken, and its sender's own
 * incoming edges join the candidates. Every edge chosen therefore has a path to the logits. (EAP-IG's `apply_greedy`.)
 */
import type { Universe } from '../types.js';
import { nodeOfReader } from '../universe.js';
import type { Choice, SelectionRule } from './rule.js';

/** A binary heap of edges; the first to leave has the highest rank, then the smallest index. */
class Heap {
  readonly #edges: number[] = [];
  readonly #ranks: Float64Array;

  constructor(ranks: Float64Array) {
    this.#ranks = ranks;
  }

  #before(a: number, b: number): boolean {
    const difference = this.#ranks[a]! - this.#ranks[b]!;
    return difference > 0 || (difference === 0 && a < b);
  }

  push(edge: number): void {
    let hole = this.#edges.push(edge) - 1;
    while (hole > 0) {
      const parent = (hole - 1) >> 1;
      if (!this.#before(edge, this.#edges[parent]!)) break;
      this.#edges[hole] = this.#edges[parent]!;
      hole = parent;
    }
    this.#edges[hole] = edge;
  }

  pop(): number | undefined {
    const [first] = this.#edges;
    const last = this.#edges.pop();
    if (this.#edges.length > 0) this.#sink(last!);
    return first;
  }

  #sink(edge: number): void {
    let hole = 0;
    for (;;) {
      let child = 2 * hole + 1;
      if (child >= this.#edges.length) break;
      if (child + 1 < this.#edges.length && this.#before(this.#edges[child + 1]!, this.#edges[child]!)) child++;
      if (!this.#before(this.#edges[child]!, edge)) break;
      this.#edges[hole] = this.#edges[child]!;
      hole = child;
    }
    this.#edges[hole] = edge;
  }

  countRank(rank: number): number {
    return this.#edges.filter((edge) => this.#ranks[edge] === rank).length;
  }
}

/** [node] the readers of a node; the last entry holds the logits'. */
const readersByNode = (universe: Universe): number[][] => {
  const readers = Array.from({ length: universe.senders.length + 1 }, (): number[] => []);
  universe.readers.forEach((_, r) => readers.at(nodeOfReader(universe, r))!.push(r));
  return readers;
};

const choose = (universe: Universe, ranks: Float64Array, n: number): Choice => {
  const chosen = new Uint8Array(universe.edgeCount);
  const inGraph = new Uint8Array(universe.senders.length);
  const heap = new Heap(ranks);
  const readers = readersByNode(universe);
  const addCandidates = (node: number): void => {
    for (const r of readers.at(node)!) {
      for (let s = 0; s < universe.readers[r]!.senderCount; s++) heap.push(universe.edgeBetween(s, r));
    }
  };
  addCandidates(-1);
  let tiesLeftOut = 0;
  for (let taken = 0; taken < n; taken++) {
    const edge = heap.pop();
    if (edge === undefined) break;
    chosen[edge] = 1;
    if (taken === n - 1) tiesLeftOut = heap.countRank(ranks[edge]!);
    const sender = universe.edgeSender[edge]!;
    if (inGraph[sender]) continue;
    inGraph[sender] = 1;
    addCandidates(sender);
  }
  return { chosen, tiesLeftOut };
};

export const greedy: SelectionRule = {
  key: 'greedy',
  title: 'grown from the logits, best reachable edge first',
  reference: 'Hanna, Pezzelle & Belinkov 2024 (arXiv 2403.17806); apply_greedy in EAP-IG',
  requests: 'edges',
  choose,
};
