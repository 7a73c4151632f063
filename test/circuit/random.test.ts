import { expect } from 'chai';
import { countIn, prune } from '../../src/circuit/prune.js';
import { randomCircuits } from '../../src/circuit/random.js';
import { makeUniverse } from '../../src/circuit/universe.js';
import { edgesOf } from '../helpers/circuit.js';

const universe = makeUniverse({ nLayers: 4, nHeads: 4, hasMlp: true, parallelBlocks: false });

describe('random circuits', () => {
  it('have the size asked for after pruning, so that they are comparable with a found circuit', () => {
    for (const edgeCount of [0, 20, 75, 200, universe.edgeCount]) {
      for (const circuit of randomCircuits(universe, { edgeCount, count: 5, seed: 3 })) {
        expect(circuit.edgeCount).to.equal(edgeCount);
        expect(countIn(circuit.edges)).to.equal(edgeCount);
        expect(prune(universe, circuit.edges)).to.deep.equal(circuit.edges);
        expect(circuit.chosenCount).to.be.at.least(edgeCount);
      }
    }
  });

  it('are the same for the same seed, different within a draw and between seeds', () => {
    const draw = (seed: number) =>
      randomCircuits(universe, { edgeCount: 60, count: 2, seed }).map((c) => edgesOf(c.edges));
    expect(draw(1)).to.deep.equal(draw(1));
    expect(draw(1)[0]).not.to.deep.equal(draw(1)[1]);
    expect(draw(1)).not.to.deep.equal(draw(2));
  });

  it('favour no edge of the same kind: q, k and v of every head are drawn about equally often', () => {
    const drawn: Record<string, number> = {};
    for (const { edges } of randomCircuits(universe, { edgeCount: 150, count: 100, seed: 4 })) {
      for (const edge of edgesOf(edges)) {
        const kind = universe.readers[universe.edgeReader[edge]!]!.kind;
        drawn[kind] = (drawn[kind] ?? 0) + 1;
      }
    }
    expect(drawn['k']! / drawn['q']!).to.be.within(0.9, 1.1);
    expect(drawn['v']! / drawn['q']!).to.be.within(0.9, 1.1);
  });

  it('refuses a size the graph does not have', () => {
    expect(() => randomCircuits(universe, { edgeCount: universe.edgeCount + 1, count: 1, seed: 0 })).to.throw(
      `random circuits need 0 … ${universe.edgeCount} edges`,
    );
  });
});
