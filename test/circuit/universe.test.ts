import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { expect } from 'chai';
import fc from 'fast-check';
import { countEdges, makeUniverse, nodeOfReader } from '../../src/circuit/universe.js';
import type { GraphShape, Universe } from '../../src/circuit/types.js';
import { graphGoldens } from '../helpers/circuit.js';
import { sharedPath, skipWithout } from '../helpers/shared.js';

const shape = (nLayers: number, nHeads: number, kind: 'sequential' | 'parallel' | 'attention-only' = 'sequential') => ({
  nLayers,
  nHeads,
  hasMlp: kind !== 'attention-only',
  parallelBlocks: kind === 'parallel',
});

const names = (universe: Universe): string[] =>
  Array.from({ length: universe.edgeCount }, (_, e) => universe.edgeName(e));

const shapes = fc.record<GraphShape>({
  nLayers: fc.integer({ min: 1, max: 4 }),
  nHeads: fc.integer({ min: 1, max: 4 }),
  hasMlp: fc.boolean(),
  parallelBlocks: fc.boolean(),
});

describe('the edge universe', () => {
  const counts: [string, GraphShape, number][] = [
    ['GPT-2 small', shape(12, 12), 32_491],
    ['GPT-2 medium', shape(24, 16), 231_877],
    ['GPT-2 xl', shape(48, 25), 2_235_025],
    ['attn-only-4l (docstring)', shape(4, 8, 'attention-only'), 1_281],
    ['redwood_attn_2l (induction)', shape(2, 8, 'attention-only'), 257],
    ['InterpBench IOI', shape(6, 4), 1_108],
    ['Pythia 70M', shape(6, 8, 'parallel'), 3_580],
    ['Pythia 160M', shape(12, 12, 'parallel'), 32_347],
    ['Qwen 2.5 0.5B', shape(24, 14), 179_749],
    ['Gemma 2 2B', shape(26, 8), 74_218],
    ['Llama 3.1 8B', shape(32, 32), 1_592_881],
    ['SmolLM2 135M', shape(30, 9), 123_211],
  ];
  for (const [model, ofModel, expected] of counts) {
    it(`has ${expected.toLocaleString('en')} edges in the shape of ${model}`, () => {
      expect(countEdges(ofModel)).to.equal(expected);
      expect(makeUniverse(ofModel).edgeCount).to.equal(expected);
    });
  }

  it("splits GPT-2 small's edges into 31,320 to heads, 1,014 to MLPs and 157 to the logits, from 157 senders to 445 readers", () => {
    const universe = makeUniverse(shape(12, 12));
    const into: Record<string, number> = {};
    for (const reader of universe.edgeReader) {
      const kind = universe.readers[reader]!.kind;
      into[kind] = (into[kind] ?? 0) + 1;
    }
    expect(into).to.deep.equal({ q: 10_440, k: 10_440, v: 10_440, mlp: 1_014, logits: 157 });
    expect([universe.senders.length, universe.readers.length]).to.deep.equal([157, 445]);
  });

  for (const model of ['gpt2', 'gpt_neox', 'llama'] as const) {
    it(`lists the edges of the ${model} golden in EAP-IG's order`, () => {
      const { universe, edges } = graphGoldens(model);
      expect(names(universe)).to.deep.equal(edges);
    });
  }

  it("lists SmolLM2-135M's 123,211 edges in EAP-IG's order", function () {
    const file = skipWithout(
      this,
      sharedPath('goldens', 'smollm2-135m', 'edges.json.gz'),
      'the SmolLM2 goldens are not here',
    );
    const golden = JSON.parse(gunzipSync(readFileSync(file)).toString()) as string[];
    expect(names(makeUniverse(shape(30, 9)))).to.deep.equal(golden);
  });

  it('lists an attention-only layer by sender, head, then q, k, v', () => {
    expect(names(makeUniverse(shape(1, 2, 'attention-only')))).to.deep.equal([
      'input->a0.h0<q>',
      'input->a0.h0<k>',
      'input->a0.h0<v>',
      'input->a0.h1<q>',
      'input->a0.h1<k>',
      'input->a0.h1<v>',
      'input->logits',
      'a0.h0->logits',
      'a0.h1->logits',
    ]);
  });

  it('lets heads write to their own MLP in a sequential block only', () => {
    expect(makeUniverse(shape(1, 1)).edgeIndex('a0.h0->m0')).to.equal(4);
    expect(makeUniverse(shape(1, 1, 'parallel')).edgeIndex('a0.h0->m0')).to.equal(undefined);
  });

  it('knows no edge by a name that is not one', () => {
    const universe = makeUniverse(shape(2, 2));
    for (const name of [
      '',
      'input',
      'input->',
      'a1.h0->a0.h0<q>',
      'a0.h0->a0.h1<q>',
      'm1->m1',
      'input->a0.h0',
      'input->m0->m1',
      'a00.h0->m1',
    ]) {
      expect(universe.edgeIndex(name), name).to.equal(undefined);
    }
  });

  it('finds every edge by its name and by its ends, and nothing else', () => {
    fc.assert(
      fc.property(shapes, (ofModel) => {
        const universe = makeUniverse(ofModel);
        let found = 0;
        for (let s = 0; s < universe.senders.length; s++) {
          for (let r = 0; r < universe.readers.length; r++) {
            const edge = universe.edgeBetween(s, r);
            if (edge < 0) continue;
            found++;
            expect([universe.edgeSender[edge], universe.edgeReader[edge]]).to.deep.equal([s, r]);
            expect(universe.edgeIndex(universe.edgeName(edge))).to.equal(edge);
          }
        }
        expect(found).to.equal(universe.edgeCount);
        expect(countEdges(ofModel)).to.equal(universe.edgeCount);
      }),
      { seed: 1 },
    );
  });

  it('is acyclic: every sender comes before the node that reads it', () => {
    fc.assert(
      fc.property(shapes, (ofModel) => {
        const universe = makeUniverse(ofModel);
        universe.edgeSender.forEach((sender, edge) => {
          const node = nodeOfReader(universe, universe.edgeReader[edge]!);
          expect(node === -1 || sender < node).to.equal(true);
        });
      }),
      { seed: 2 },
    );
  });

  it('ties each reader to the sender of the same node', () => {
    fc.assert(
      fc.property(shapes, (ofModel) => {
        const universe = makeUniverse(ofModel);
        universe.readers.forEach((reader, r) => {
          const node = nodeOfReader(universe, r);
          expect(node === -1 ? 'logits' : universe.senders[node]!.name).to.equal(reader.name.replace(/<.>$/, ''));
        });
      }),
      { seed: 3 },
    );
  });
});
