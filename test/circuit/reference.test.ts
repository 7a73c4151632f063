import { expect } from 'chai';
import { countIn, prune } from '../../src/circuit/prune.js';
import { readReference, referenceEdges, referenceNames } from '../../src/circuit/reference.js';
import { makeUniverse } from '../../src/circuit/universe.js';
import type { Universe } from '../../src/circuit/types.js';
import { edgesOf } from '../helpers/circuit.js';

const load = async (name: string) => {
  const reference = await readReference(name);
  const universe = makeUniverse(reference.shape);
  return { reference, universe, edges: referenceEdges(universe, reference) };
};

/** How many edges go from one kind of node to another. */
const byKind = (universe: Universe, edges: Uint8Array): Record<string, number> => {
  const counts: Record<string, number> = {};
  for (const edge of edgesOf(edges)) {
    const { kind } = universe.readers[universe.edgeReader[edge]!]!;
    const from = universe.senders[universe.edgeSender[edge]!]!.kind;
    const key = `${from}->${'qkv'.includes(kind) ? 'head' : kind}`;
    counts[key] = (counts[key] ?? 0) + 1;
  }
  return counts;
};

describe('reference circuits', () => {
  it("IOI has ACDC's 963 edges, by kind", async () => {
    const { universe, edges } = await load('ioi-gpt2-small');
    expect(countIn(edges)).to.equal(963);
    expect(byKind(universe, edges)).to.deep.equal({
      'mlp->head': 567,
      'head->head': 124,
      'head->mlp': 123,
      'mlp->mlp': 66,
      'input->head': 45,
      'head->logits': 13,
      'input->mlp': 12,
      'mlp->logits': 12,
      'input->logits': 1,
    });
  });

  it('IOI names 26 heads in seven classes', async () => {
    const { groups } = await readReference('ioi-gpt2-small');
    expect(Object.keys(groups)).to.have.length(7);
    expect(new Set(Object.values(groups).flat()).size).to.equal(26);
  });

  it("greater-than has ACDC's 235 edges, by kind", async () => {
    const { universe, edges } = await load('greater-than-gpt2-small');
    expect(byKind(universe, edges)).to.deep.equal({
      'mlp->head': 89,
      'head->head': 54,
      'mlp->mlp': 42,
      'head->mlp': 27,
      'input->head': 9,
      'head->logits': 6,
      'mlp->logits': 4,
      'input->mlp': 4,
    });
  });

  it('docstring has 24 edges', async () => {
    const { edges } = await load('docstring-attn-only-4l');
    expect(countIn(edges)).to.equal(24);
  });

  it('reverse has ten edges that zeroing sees and two that resampling sees, the two among the ten', async () => {
    const zero = await load('tracr-reverse');
    const resample = await load('tracr-reverse-resample');
    const names = edgesOf(resample.edges).map((edge) => zero.universe.edgeName(edge));
    expect(names).to.deep.equal(['input->a3.h0<v>', 'a3.h0->logits']);
    expect(countIn(zero.edges)).to.equal(10);
    expect(names.every((name) => zero.edges[zero.universe.edgeIndex(name)!] === 1)).to.equal(true);
  });

  it('have no dead ends, name nodes their model has, and say where they come from', async () => {
    for (const name of await referenceNames()) {
      const { reference, universe, edges } = await load(name);
      expect(reference.name).to.equal(name);
      expect(reference.sources, name).not.to.deep.equal([]);
      expect(prune(universe, edges), name).to.deep.equal(edges);
      for (const node of Object.values(reference.groups).flat()) {
        expect(universe.senderIndex(node), `${name}: ${node}`).not.to.equal(undefined);
      }
    }
  });

  it('refuse a model of another shape, and names that are not there', async () => {
    const reference = await readReference('ioi-gpt2-small');
    const other = makeUniverse({ ...reference.shape, nLayers: 6 });
    expect(() => referenceEdges(other, reference)).to.throw('is of gpt2 (12 layers of 12 heads), not of this model');
    const missing = await readReference('nothing').catch((error: unknown) => error);
    expect(missing).to.have.property('code', 'circuit/reference');
  });
});
