import { expect } from 'chai';
import fc from 'fast-check';
import { auroc, compareCircuits } from '../../src/circuit/compare.js';
import { makeUniverse } from '../../src/circuit/universe.js';
import { edgeMask } from '../helpers/circuit.js';

const universe = makeUniverse({ nLayers: 1, nHeads: 2, hasMlp: true, parallelBlocks: false });
const maskOf = (...names: string[]): Uint8Array =>
  edgeMask(
    universe,
    names.map((name) => universe.edgeIndex(name)!),
  );

describe('comparing circuits', () => {
  it('counts shared edges and shared nodes', () => {
    const first = maskOf('input->a0.h0<q>', 'a0.h0->logits', 'input->logits');
    const second = maskOf('input->a0.h1<q>', 'a0.h1->logits', 'input->logits', 'input->m0', 'm0->logits');
    expect(compareCircuits(universe, first, second)).to.deep.equal({
      edges: { both: 1, onlyFirst: 2, onlySecond: 4, jaccard: 1 / 7, overlap: 1 / 3 },
      nodes: { both: 1, onlyFirst: 1, onlySecond: 2, jaccard: 1 / 4, overlap: 1 / 2 },
    });
  });

  it('has nothing to say about two empty circuits', () => {
    const { edges } = compareCircuits(universe, maskOf(), maskOf());
    expect([edges.jaccard, edges.overlap]).to.deep.equal([NaN, NaN]);
  });
});

describe('AUROC', () => {
  it('gives a tie between a reference edge and another one half', () => {
    // .9+ .8+ .8- .3-: of 4 pairs, 3 are ordered and 1 is tied
    expect(auroc([0.9, 0.8, 0.8, 0.3], Uint8Array.of(1, 1, 0, 0))).to.equal(0.875);
  });

  it('is 1, 0 and 1/2 for perfect, reversed and constant scores', () => {
    expect(auroc([3, 2, 1], Uint8Array.of(1, 0, 0))).to.equal(1);
    expect(auroc([1, 2, 3], Uint8Array.of(1, 0, 0))).to.equal(0);
    expect(auroc([7, 7, 7], Uint8Array.of(1, 0, 0))).to.equal(0.5);
  });

  it('is undefined without reference edges or without others', () => {
    expect(auroc([1, 2], Uint8Array.of(0, 0))).to.be.NaN;
    expect(auroc([1, 2], Uint8Array.of(1, 1))).to.be.NaN;
  });

  it('is the share of ordered pairs, ties one half', () => {
    const labelled = fc.array(fc.tuple(fc.integer({ min: 0, max: 4 }), fc.boolean()), { minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(labelled, (edges) => {
        const inside = edges.filter(([, reference]) => reference);
        const outside = edges.filter(([, reference]) => !reference);
        let wins = 0;
        for (const [a] of inside) for (const [b] of outside) wins += a > b ? 1 : a === b ? 0.5 : 0;
        const area = auroc(
          edges.map(([score]) => score),
          Uint8Array.from(edges, ([, reference]) => Number(reference)),
        );
        const expected = wins / (inside.length * outside.length);
        if (Number.isNaN(expected)) expect(area).to.be.NaN;
        else expect(area).to.be.closeTo(expected, 1e-12);
      }),
      { seed: 9 },
    );
  });
});
