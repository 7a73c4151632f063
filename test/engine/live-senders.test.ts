import { expect } from 'chai';
import { makeUniverse } from '../../src/circuit/universe.js';
import { activeSenders, untouchedSenders } from '../../src/engine/questions/live-senders.js';

const UNIVERSE = makeUniverse({ nLayers: 2, nHeads: 2, hasMlp: true, parallelBlocks: false });
const without = (...cut: string[]): Uint8Array => {
  const keep = new Uint8Array(UNIVERSE.edgeCount).fill(1);
  for (const name of cut) keep[UNIVERSE.edgeIndex(name)!] = 0;
  return keep;
};
const names = (flags: Uint8Array): string[] =>
  UNIVERSE.senders.filter((_, sender) => flags[sender] === 1).map(({ name }) => name);

describe('nodes of a circuit that need not be computed', () => {
  it('none where nothing is cut', () => {
    expect(names(untouchedSenders(UNIVERSE, without()))).to.deep.equal(UNIVERSE.senders.map(({ name }) => name));
  });

  it('all that are not downstream of a cut', () => {
    expect(names(untouchedSenders(UNIVERSE, without('m0->a1.h0<k>')))).to.deep.equal(
      ['input', 'a0.h0', 'a0.h1', 'm0', 'a1.h1'], // a1.h0 reads less, m1 reads a1.h0
    );
    expect(names(untouchedSenders(UNIVERSE, without('m1->logits', 'input->logits')))).to.have.lengthOf(7);
  });

  it('not those an edge into which is partly cut', () => {
    const keep = Float32Array.from(without());
    keep[UNIVERSE.edgeIndex('input->m0')!] = 0.5;
    expect(names(untouchedSenders(UNIVERSE, keep))).to.deep.equal(['input', 'a0.h0', 'a0.h1']);
  });

  it('and those that nobody hears are not even kept', () => {
    const nothing = new Uint8Array(UNIVERSE.edgeCount);
    nothing[UNIVERSE.edgeIndex('a0.h1->logits')!] = 1;
    nothing[UNIVERSE.edgeIndex('input->a0.h1<v>')!] = 1;
    nothing[UNIVERSE.edgeIndex('input->m0')!] = 1;
    expect(names(activeSenders(UNIVERSE, nothing, true))).to.deep.equal(['input', 'a0.h1']);
  });
});
