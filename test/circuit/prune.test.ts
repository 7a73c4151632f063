import { expect } from 'chai';
import fc from 'fast-check';
import { countIn, prune } from '../../src/circuit/prune.js';
import type { GraphShape, Universe } from '../../src/circuit/types.js';
import { makeUniverse, nodeOfReader } from '../../src/circuit/universe.js';
import { edgeMask, edgesOf, graphGoldens } from '../helpers/circuit.js';

const universe = makeUniverse({ nLayers: 2, nHeads: 2, hasMlp: true, parallelBlocks: false });
const maskOf = (...names: string[]): Uint8Array =>
  edgeMask(
    universe,
    names.map((name) => universe.edgeIndex(name)!),
  );
const namesOf = (mask: Uint8Array): string[] => edgesOf(mask).map((edge) => universe.edgeName(edge));

/** The definition, read literally: drop the edges of nodes without incoming or outgoing ones until nothing changes. */
const pruneByDefinition = (of: Universe, mask: Uint8Array): Uint8Array => {
  const edges = new Set(edgesOf(mask));
  for (let changed = true; changed;) {
    const nodeRead = (edge: number): number => nodeOfReader(of, of.edgeReader[edge]!);
    const withIncoming = new Set([0, ...[...edges].map(nodeRead)]);
    const withOutgoing = new Set([-1, ...[...edges].map((edge) => of.edgeSender[edge]!)]);
    const dead = [...edges].filter((e) => !withIncoming.has(of.edgeSender[e]!) || !withOutgoing.has(nodeRead(e)));
    dead.forEach((edge) => edges.delete(edge));
    changed = dead.length > 0;
  }
  return edgeMask(of, edges);
};

const drawn = fc
  .record<GraphShape>({
    nLayers: fc.integer({ min: 1, max: 3 }),
    nHeads: fc.integer({ min: 1, max: 3 }),
    hasMlp: fc.boolean(),
    parallelBlocks: fc.boolean(),
  })
  .map(makeUniverse)
  .chain((of) =>
    fc.record({
      of: fc.constant(of),
      mask: fc
        .tuple(fc.infiniteStream(fc.integer({ min: 0, max: 99 })), fc.integer({ min: 5, max: 60 }))
        .map(([draws, percent]) =>
          Uint8Array.from({ length: of.edgeCount }, () => (draws.next().value < percent ? 1 : 0)),
        ),
    }),
  );

describe('pruning', () => {
  it('keeps a path from input to logits', () => {
    const path = maskOf('input->a0.h1<v>', 'a0.h1->a1.h0<k>', 'a1.h0->logits');
    expect(prune(universe, path)).to.deep.equal(path);
  });

  it('drops what leads nowhere and what comes from nowhere, however long the dead end', () => {
    const mask = maskOf(
      'input->m0', // the only live path
      'm0->logits',
      'input->a0.h0<q>', // a0.h0 → a1.h0 → nothing
      'a0.h0->a1.h0<v>',
      'a0.h1->m1', // nothing → a0.h1 → m1 → logits
      'm1->logits',
    );
    expect(namesOf(prune(universe, mask))).to.deep.equal(['input->m0', 'm0->logits']);
  });

  it('counts any of q, k and v as an incoming edge of a head', () => {
    for (const reader of ['q', 'k', 'v']) {
      expect(countIn(prune(universe, maskOf(`input->a0.h0<${reader}>`, 'a0.h0->logits')))).to.equal(2);
    }
  });

  it('leaves nothing of a graph whose logits read nothing', () => {
    const mask = new Uint8Array(universe.edgeCount).fill(1);
    universe.edgeReader.forEach((reader, edge) => {
      if (universe.readers[reader]!.kind === 'logits') mask[edge] = 0;
    });
    expect(countIn(prune(universe, mask))).to.equal(0);
  });

  for (const model of ['gpt2', 'gpt_neox', 'llama'] as const) {
    it(`leaves what EAP-IG leaves of the 20 circuits of the ${model} golden`, () => {
      const golden = graphGoldens(model);
      for (const { chosen, pruned } of golden.circuits) {
        expect(edgesOf(prune(golden.universe, edgeMask(golden.universe, chosen)))).to.deep.equal(pruned);
      }
    });
  }

  it('is the fixpoint of its definition, a subset of what it was given, and idempotent', () => {
    fc.assert(
      fc.property(drawn, ({ of, mask }) => {
        const pruned = prune(of, mask);
        expect(pruned).to.deep.equal(pruneByDefinition(of, mask));
        expect(edgesOf(pruned).every((edge) => mask[edge] === 1)).to.equal(true);
        expect(prune(of, pruned)).to.deep.equal(pruned);
      }),
      { seed: 4 },
    );
  });

  it('is monotone: more edges in, no fewer out', () => {
    fc.assert(
      fc.property(drawn, fc.infiniteStream(fc.boolean()), ({ of, mask }, draws) => {
        const fewer = mask.map((inside) => (inside && draws.next().value ? 1 : 0));
        const more = prune(of, mask);
        expect(edgesOf(prune(of, fewer)).every((edge) => more[edge] === 1)).to.equal(true);
      }),
      { seed: 5 },
    );
  });

  it('leaves no dead end: every node left has an incoming and an outgoing edge', () => {
    fc.assert(
      fc.property(drawn, ({ of, mask }) => {
        const left = edgesOf(prune(of, mask));
        const senders = new Set(left.map((edge) => of.edgeSender[edge]!));
        const fed = new Set(left.map((edge) => nodeOfReader(of, of.edgeReader[edge]!)));
        senders.forEach((sender) => expect(sender === 0 || fed.has(sender)).to.equal(true));
        fed.forEach((node) => expect(node === -1 || senders.has(node)).to.equal(true));
      }),
      { seed: 6 },
    );
  });
});
