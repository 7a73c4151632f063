import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import fc from 'fast-check';
import { countIn } from '../../src/circuit/prune.js';
import { SELECTION_RULES, selectCircuit } from '../../src/circuit/select.js';
import type { Circuit } from '../../src/circuit/types.js';
import { makeUniverse, nodeOfReader } from '../../src/circuit/universe.js';
import { edgesOf } from '../helpers/circuit.js';
import { readTensor } from '../helpers/safetensors.js';
import { sharedPath, skipWithout } from '../helpers/shared.js';

// input->a0.h0<q> <k> <v>, input->logits, a0.h0->logits
const tiny = makeUniverse({ nLayers: 1, nHeads: 1, hasMlp: false, parallelBlocks: false });
const names = (circuit: Circuit): string[] => edgesOf(circuit.edges).map((edge) => tiny.edgeName(edge));
const scores = (...of: number[]): Float64Array => Float64Array.from(of);

describe('selection', () => {
  it('takes the n edges of largest absolute score', () => {
    const circuit = selectCircuit(tiny, scores(0.1, -5, 0.2, 1, -3), { rule: 'top-n', by: 'absolute', requested: 2 });
    expect(names(circuit)).to.deep.equal(['input->a0.h0<k>', 'a0.h0->logits']);
  });

  it('leaves out edges that hurt when it selects by signed score', () => {
    const circuit = selectCircuit(tiny, scores(0.1, -5, 0.2, 1, -3), { rule: 'top-n', by: 'signed', requested: 1 });
    expect(names(circuit)).to.deep.equal(['input->logits']);
  });

  it('counts edges before and after dead ends are pruned', () => {
    const circuit = selectCircuit(tiny, scores(9, 8, 7, 6, 0), { rule: 'top-n', by: 'absolute', requested: 4 });
    expect([circuit.chosenCount, circuit.edgeCount]).to.deep.equal([4, 1]);
    expect(names(circuit)).to.deep.equal(['input->logits']);
  });

  it('resolves a tie at the cut by canonical order and says how many were left out', () => {
    const circuit = selectCircuit(tiny, scores(2, 2, -2, 2, 5), { rule: 'top-n', by: 'absolute', requested: 3 });
    expect(names(circuit)).to.deep.equal(['input->a0.h0<q>', 'input->a0.h0<k>', 'a0.h0->logits']);
    expect(circuit.selection).to.deep.equal({ rule: 'top-n', by: 'absolute', requested: 3, tiesLeftOut: 2 });
  });

  it('takes every edge whose score reaches a threshold', () => {
    const circuit = selectCircuit(tiny, scores(0.5, 0.49, 0, 0, -1), {
      rule: 'threshold',
      by: 'absolute',
      requested: 0.5,
    });
    expect(names(circuit)).to.deep.equal(['input->a0.h0<q>', 'a0.h0->logits']);
  });

  it('grows greedily from the logits, so an edge whose reader is not in the circuit waits', () => {
    // the best edge of all, into a0.h0, is reachable only after the weak a0.h0->logits
    const weights = scores(9, 0, 0, 2, 1);
    const grow = (n: number) => selectCircuit(tiny, weights, { rule: 'greedy', by: 'absolute', requested: n });
    expect(names(grow(1))).to.deep.equal(['input->logits']);
    expect(names(grow(2))).to.deep.equal(['input->logits']); // a0.h0->logits is chosen, but nothing feeds a0.h0 yet
    expect(names(grow(3))).to.deep.equal(['input->a0.h0<q>', 'input->logits', 'a0.h0->logits']);
    expect(grow(2).chosenCount).to.equal(2);
  });

  it('reports ties of greedy selection among the edges that were reachable', () => {
    const { selection } = selectCircuit(tiny, scores(4, 4, 4, 0, 5), { rule: 'greedy', by: 'signed', requested: 2 });
    expect(selection.tiesLeftOut).to.equal(2);
  });

  it('takes everything when asked for more than there is', () => {
    for (const rule of ['top-n', 'greedy']) {
      const circuit = selectCircuit(tiny, scores(1, 2, 3, 4, 5), { rule, by: 'signed', requested: 100 });
      expect([circuit.chosenCount, circuit.selection.tiesLeftOut], rule).to.deep.equal([5, 0]);
    }
  });

  it('refuses unknown rules, senseless requests and scores that are not numbers', () => {
    const select = (rule: string, requested: number, of = scores(1, 2, 3, 4, 5)) =>
      selectCircuit(tiny, of, { rule, by: 'signed', requested });
    expect(() => select('best', 1)).to.throw('no selection rule "best"; choose one of top-n, greedy, threshold');
    expect(() => select('top-n', -1)).to.throw('0 or more, got -1');
    expect(() => select('greedy', 1.5)).to.throw('got 1.5');
    expect(() => select('threshold', NaN)).to.throw('a finite score, got NaN');
    expect(() => select('top-n', 1, scores(1, 2, 3, NaN, 5))).to.throw('input->logits is NaN');
    expect(() => select('top-n', 1, scores(1, 2))).to.throw('2 scores for a graph of 5 edges');
  });

  it('chooses exactly n edges by rank: none left out ranks above one taken', () => {
    const universe = makeUniverse({ nLayers: 2, nHeads: 2, hasMlp: true, parallelBlocks: false });
    const few = fc.array(fc.integer({ min: -3, max: 3 }), {
      minLength: universe.edgeCount,
      maxLength: universe.edgeCount,
    });
    fc.assert(
      fc.property(few, fc.integer({ min: 0, max: universe.edgeCount }), (values, n) => {
        const ranks = Float64Array.from(values, Math.abs);
        const rule = SELECTION_RULES.find(({ key }) => key === 'top-n')!;
        const { chosen, tiesLeftOut } = rule.choose(universe, ranks, n);
        const taken = ranks.filter((_, e) => chosen[e]);
        const left = ranks.filter((_, e) => !chosen[e]);
        expect(countIn(chosen)).to.equal(n);
        if (n === 0 || n === universe.edgeCount) return;
        expect(Math.min(...taken)).to.be.at.least(Math.max(...left));
        expect(tiesLeftOut).to.equal(left.filter((rank) => rank === Math.min(...taken)).length);
      }),
      { seed: 7 },
    );
  });

  it('greedily chosen edges all have a path to the logits', () => {
    const universe = makeUniverse({ nLayers: 3, nHeads: 2, hasMlp: true, parallelBlocks: true });
    const values = fc.array(fc.double({ noNaN: true, noDefaultInfinity: true }), {
      minLength: universe.edgeCount,
      maxLength: universe.edgeCount,
    });
    fc.assert(
      fc.property(values, fc.integer({ min: 1, max: 60 }), (of, n) => {
        const rule = SELECTION_RULES.find(({ key }) => key === 'greedy')!;
        const { chosen } = rule.choose(universe, Float64Array.from(of), n);
        const senders = new Set(edgesOf(chosen).map((edge) => universe.edgeSender[edge]));
        edgesOf(chosen).forEach((edge) => {
          const node = nodeOfReader(universe, universe.edgeReader[edge]!);
          expect(node === -1 || senders.has(node)).to.equal(true);
        });
      }),
      { seed: 8 },
    );
  });

  it("chooses EAP-IG's circuits from EAP-IG's scores of SmolLM2-135M", function () {
    const reason = 'the SmolLM2 goldens are not here';
    const file = skipWithout(this, sharedPath('goldens', 'smollm2-135m', 'eap.safetensors'), reason);
    const { circuits } = JSON.parse(readFileSync(sharedPath('goldens', 'smollm2-135m', 'circuits.json')!, 'utf8')) as {
      circuits: { circuit: string; selection?: string; n_requested: number; n_edges: number; edge_indices: number[] }[];
    };
    const universe = makeUniverse({ nLayers: 30, nHeads: 9, hasMlp: true, parallelBlocks: false });
    const golden = Float64Array.from(readTensor(file, 'EAP-IG-inputs-5'));
    const selected = circuits.filter(({ selection }) => selection !== undefined);
    expect(selected).to.have.length(6);
    for (const { circuit, selection, n_requested, n_edges, edge_indices } of selected) {
      const rule = selection === 'greedy' ? 'greedy' : 'top-n';
      const chosen = selectCircuit(universe, golden, { rule, by: 'absolute', requested: n_requested });
      expect(chosen.edgeCount, circuit).to.equal(n_edges);
      expect(edgesOf(chosen.edges), circuit).to.deep.equal([...edge_indices].sort((a, b) => a - b));
    }
  });
});
