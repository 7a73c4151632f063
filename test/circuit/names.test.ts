import { expect } from 'chai';
import { parseAddress, printSite } from '../../src/circuit/address.js';
import { NAMINGS, readEdge, writeEdge } from '../../src/circuit/names.js';
import { makeUniverse } from '../../src/circuit/universe.js';

const naming = (key: string) => NAMINGS.find((candidate) => candidate.key === key)!;
const site = (text: string) => parseAddress(text).stops[0]!;

describe("other libraries' names", () => {
  const pairs: Record<string, [string, string][]> = {
    'transformer-lens': [
      ['input', 'hook_embed'],
      ['resid3.pre', 'blocks.3.hook_resid_pre'],
      ['resid3.mid', 'blocks.3.hook_resid_mid'],
      ['resid3.post', 'blocks.3.hook_resid_post'],
      ['a5.out', 'blocks.5.hook_attn_out'],
      ['a5.h1', 'blocks.5.attn.hook_result[:, :, 1]'],
      ['a5.h1.q', 'blocks.5.attn.hook_q[:, :, 1]'],
      ['a5.h1.k', 'blocks.5.attn.hook_k[:, :, 1]'],
      ['a5.h1.v', 'blocks.5.attn.hook_v[:, :, 1]'],
      ['a5.h1.z', 'blocks.5.attn.hook_z[:, :, 1]'],
      ['a5.*.z', 'blocks.5.attn.hook_z'],
      ['a5.h1.pattern', 'blocks.5.attn.hook_pattern[:, 1]'],
      ['a5.h1<k>', 'blocks.5.hook_k_input[:, :, 1]'],
      ['m4', 'blocks.4.hook_mlp_out'],
      ['m4.n1023', 'blocks.4.mlp.hook_post[:, :, 1023]'],
    ],
    'auto-circuit': [
      ['input', 'Resid Start'],
      ['a0.h1', 'A0.1'],
      ['a0.h1<q>', 'A0.1.Q'],
      ['a0.h1<k>', 'A0.1.K'],
      ['a0.h1<v>', 'A0.1.V'],
      ['m0', 'MLP 0'],
      ['logits', 'Resid End'],
    ],
    acdc: [
      ['a0.h1', '<a0.1>'],
      ['a0.h1<q>', '<a0.1_q>'],
      ['m0', '<m0>'],
    ],
  };
  for (const [key, table] of Object.entries(pairs)) {
    for (const [ours, theirs] of table) {
      it(`${ours} is ${theirs} in ${key}, both ways`, () => {
        expect(naming(key).write(site(ours))).to.equal(theirs);
        expect(printSite(naming(key).read(theirs)!)).to.equal(ours);
      });
    }
  }

  const bridge: [string, string][] = [
    ['blocks.2.hook_in', 'resid2.pre'],
    ['blocks.2.ln2.hook_in', 'resid2.mid'],
    ['blocks.2.hook_out', 'resid2.post'],
    ['blocks.2.attn.hook_out', 'a2.out'],
    ['blocks.2.mlp.hook_out', 'm2'],
    ['blocks.2.attn.k.hook_out', 'a2.*.k'],
    ['blocks.2.attn.o.hook_in', 'a2.*.z'],
    ['blocks.2.mlp.out.hook_in', 'm2.*'],
  ];
  for (const [theirs, ours] of bridge) {
    it(`reads TransformerBridge's ${theirs} as ${ours} and writes HookedTransformer's name`, () => {
      const read = naming('transformer-lens').read(theirs)!;
      expect(printSite(read)).to.equal(ours);
      expect(naming('transformer-lens').write(read)).not.to.equal(theirs);
    });
  }

  it('have no word for what a library cannot say', () => {
    expect(naming('auto-circuit').write(site('m4.n3'))).to.equal(null);
    expect(naming('auto-circuit').write(site('a4.*'))).to.equal(null);
    expect(naming('transformer-lens').read('blocks.1.hook_nothing')).to.equal(null);
    expect(readEdge(naming('auto-circuit'), 'A0.1->MLP')).to.equal(null);
    expect(writeEdge(naming('auto-circuit'), [site('m4.n3'), site('logits')])).to.equal(null);
  });

  it("name every edge of a universe in auto-circuit's and ACDC's way, and back", () => {
    const universe = makeUniverse({ nLayers: 2, nHeads: 2, hasMlp: true, parallelBlocks: false });
    for (const key of ['auto-circuit', 'acdc']) {
      for (let edge = 0; edge < universe.edgeCount; edge++) {
        const [sender, reader] = parseAddress(universe.edgeName(edge)).stops;
        const text = writeEdge(naming(key), [sender!, reader!])!;
        expect(readEdge(naming(key), text)!.map(printSite).join('->')).to.equal(universe.edgeName(edge));
      }
    }
    const [sender, reader] = parseAddress('a0.h1->a1.h0<k>').stops;
    expect(writeEdge(naming('auto-circuit'), [sender!, reader!])).to.equal('A0.1->A1.0.K');
  });
});
