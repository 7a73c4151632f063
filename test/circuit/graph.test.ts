import { expect } from 'chai';
import { circuitGraph } from '../../src/circuit/graph.js';
import { LAYOUTS, layOut } from '../../src/circuit/layout.js';
import { makeCircuit, selectCircuit } from '../../src/circuit/select.js';
import { makeUniverse } from '../../src/circuit/universe.js';
import { edgeMask, edgesOf } from '../helpers/circuit.js';

const universe = makeUniverse({ nLayers: 3, nHeads: 3, hasMlp: true, parallelBlocks: false });
const scores = Float64Array.from({ length: universe.edgeCount }, (_, e) => Math.sin(e * 12.9898) * 3);
const circuit = selectCircuit(universe, scores, { rule: 'greedy', by: 'absolute', requested: 30 });

describe('the circuit as a graph', () => {
  it('has one edge per edge of the circuit, with its reader and score, between nodes', () => {
    const names = ['input->a0.h1<q>', 'input->a0.h1<v>', 'a0.h1->m2', 'm2->logits'];
    const edges = edgeMask(
      universe,
      names.map((name) => universe.edgeIndex(name)!),
    );
    const graph = circuitGraph(universe, { scores, circuit: { edges } });
    expect(graph.nodes()).to.deep.equal(['input', 'a0.h1', 'm2', 'logits']);
    expect(graph.edges()).to.deep.equal(names);
    expect(graph.directedEdges('input', 'a0.h1')).to.have.length(2);
    expect(graph.getNodeAttributes('a0.h1')).to.deep.equal({ kind: 'head', layer: 0, head: 1 });
    expect(graph.getNodeAttributes('logits')).to.deep.equal({ kind: 'logits', layer: 3, head: -1 });
    const index = universe.edgeIndex('input->a0.h1<v>')!;
    expect(graph.getEdgeAttributes('input->a0.h1<v>')).to.deep.equal({
      index,
      reader: 'v',
      score: scores[index],
      inCircuit: true,
    });
  });

  it('can hold the whole universe with the circuit marked in it', () => {
    const graph = circuitGraph(universe, { scores, circuit, all: true });
    expect([graph.order, graph.size]).to.deep.equal([universe.senders.length + 1, universe.edgeCount]);
    expect(graph.filterEdges((_, { inCircuit }) => inCircuit)).to.have.length(circuit.edgeCount);
  });

  it('has input and logits even when the circuit is empty', () => {
    const graph = circuitGraph(universe, { scores, circuit: { edges: new Uint8Array(universe.edgeCount) } });
    expect([graph.nodes(), graph.size]).to.deep.equal([['input', 'logits'], 0]);
  });
});

describe('layouts', () => {
  const graph = circuitGraph(universe, { scores, circuit });

  for (const { key } of LAYOUTS) {
    it(`${key} gives every node a place of its own, the same for the same seed`, () => {
      const { positions } = layOut(graph, { key, seed: 7 });
      expect(Object.keys(positions).sort()).to.deep.equal(graph.nodes().sort());
      const places = Object.values(positions).map(([x, y]) => `${x} ${y}`);
      expect(new Set(places).size).to.equal(places.length);
      expect(layOut(graph, { key, seed: 7 })).to.deep.equal(layOut(graph, { key, seed: 7 }));
    });
  }

  it('layered: every edge goes upward, heads of a layer share a row, MLPs a column right of all heads', () => {
    const { positions, seed } = layOut(graph, { key: 'layered', seed: 7 });
    expect(seed).to.equal(null);
    graph.forEachEdge((edge, _, source, target) => {
      expect(positions[source]![1], edge).to.be.below(positions[target]![1]);
    });
    const heads = graph.filterNodes((_, { kind }) => kind === 'head');
    const mlps = graph.filterNodes((_, { kind }) => kind === 'mlp');
    const rows = new Map<number, Set<number>>();
    for (const head of heads) {
      const { layer } = graph.getNodeAttributes(head);
      rows.set(layer, (rows.get(layer) ?? new Set()).add(positions[head]![1]));
    }
    expect([...rows.values()].map((row) => row.size)).to.deep.equal([...rows.values()].map(() => 1));
    const columns = new Set(mlps.map((mlp) => positions[mlp]![0]));
    expect(columns.size).to.equal(1);
    for (const head of heads) expect(positions[head]![0]).to.be.below([...columns][0]!);
  });

  it('layered: heads of a row do not overlap', () => {
    const { positions } = layOut(graph, { key: 'layered', seed: 7 });
    const heads = graph.filterNodes((_, { kind }) => kind === 'head').map((head) => positions[head]!);
    heads.forEach(([x, y], i) => {
      heads.slice(i + 1).forEach(([otherX, otherY]) => {
        if (y === otherY) expect(Math.abs(x - otherX)).to.be.at.least(1);
      });
    });
  });

  it('layered: nodes of parallel and attention-only models, and of MLPs alone, have their places too', () => {
    const shapes = [
      { nLayers: 2, nHeads: 2, hasMlp: false, parallelBlocks: false },
      { nLayers: 2, nHeads: 2, hasMlp: true, parallelBlocks: true },
    ];
    for (const shape of shapes) {
      const of = makeUniverse(shape);
      const all = { scores: new Float64Array(of.edgeCount), circuit: { edges: new Uint8Array(of.edgeCount).fill(1) } };
      const { positions } = layOut(circuitGraph(of, all), { key: 'layered', seed: 0 });
      expect(Object.keys(positions)).to.have.length(of.senders.length + 1);
    }
    const chain = edgeMask(
      universe,
      ['input->m0', 'm0->m1', 'm1->logits'].map((name) => universe.edgeIndex(name)!),
    );
    const { positions } = layOut(circuitGraph(universe, { scores, circuit: { edges: chain } }), {
      key: 'layered',
      seed: 0,
    });
    const heights = ['input', 'm0', 'm1', 'logits'].map((node) => positions[node]![1]);
    expect(heights).to.deep.equal([...heights].sort((a, b) => a - b));
  });

  it('force: depends on the seed and records it', () => {
    const [first, second] = [layOut(graph, { key: 'force', seed: 1 }), layOut(graph, { key: 'force', seed: 2 })];
    expect([first.seed, second.seed]).to.deep.equal([1, 2]);
    expect(first.positions).not.to.deep.equal(second.positions);
    expect(first.positions['input']![1]).to.be.below(first.positions['logits']![1]);
  });

  it('refuses a layout it does not know', () => {
    expect(() => layOut(graph, { key: 'round', seed: 0 })).to.throw('no layout "round"; choose one of layered, force');
  });
});

describe('a circuit from chosen edges', () => {
  it('is pruned and counted', () => {
    const chosen = edgeMask(
      universe,
      ['input->m0', 'm0->logits', 'a0.h0->m1'].map((name) => universe.edgeIndex(name)!),
    );
    const made = makeCircuit(universe, chosen, { rule: 'by hand', by: 'absolute', requested: 3, tiesLeftOut: 0 });
    expect([made.chosenCount, made.edgeCount]).to.deep.equal([3, 2]);
    expect(edgesOf(made.edges).map((edge) => universe.edgeName(edge))).to.deep.equal(['input->m0', 'm0->logits']);
  });
});
