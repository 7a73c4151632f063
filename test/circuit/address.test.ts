import { expect } from 'chai';
import fc from 'fast-check';
import { parseAddress, printAddress } from '../../src/circuit/address.js';
import { edgesBetween } from '../../src/circuit/match.js';
import { makeUniverse } from '../../src/circuit/universe.js';

describe('the address grammar', () => {
  const canonical = [
    'input',
    'logits',
    'resid3.pre',
    'resid0.mid@end',
    'resid11.post@0',
    'a5.h1',
    'a5.h1.q',
    'a5.h1.k@S2',
    'a5.h1.v@S2..end',
    'a5.h1.z@12',
    'a5.h1.pattern',
    'a5.h1.pattern@end<-IO',
    'a5.h1.pattern@S1+1..end<-0..3',
    'a5.out',
    'a*.out',
    'a9.*<q>',
    'a*.h3',
    'a*.*.z',
    'm4',
    'm*',
    'm4.n1023',
    'm4.*@S2',
    'resid*.pre@S2',
    'a0.h1->a2.h3<k>',
    'a0.h1->m2',
    'input->logits@end',
    '*->a9.*<*>',
    'a0.h1 -> a5.h5<k> -> a8.h6<v> -> logits',
    'input -> m0 -> * -> logits',
  ];
  for (const text of canonical) {
    it(`reads ${text} and prints it back`, () => {
      expect(printAddress(parseAddress(text))).to.equal(text);
    });
  }

  it('reads heads as the literature writes them, and prints its own spelling', () => {
    expect(printAddress(parseAddress('a0.1 -> a5.5<k> -> a8.*<v> -> logits'))).to.equal(
      'a0.h1 -> a5.h5<k> -> a8.*<v> -> logits',
    );
    expect(printAddress(parseAddress('a5.5.q@end'))).to.equal('a5.h5.q@end');
  });

  it('says what it read', () => {
    expect(parseAddress('a5.h1.pattern@end<-IO..7')).to.deep.equal({
      stops: [{ kind: 'pattern', layer: 5, head: 1 }],
      at: { from: 'end', to: null },
      key: { from: 'IO', to: 7 },
    });
    expect(parseAddress('a0.*->m2')).to.deep.equal({
      stops: [
        { kind: 'head', layer: 0, head: '*' },
        { kind: 'mlp', layer: 2 },
      ],
      at: null,
      key: null,
    });
  });

  it('does not mind white space around arrows', () => {
    expect(printAddress(parseAddress(' a0.h1 ->  a2.h3<k> @ S2 .. end'))).to.equal('a0.h1->a2.h3<k>@S2..end');
    expect(printAddress(parseAddress('input->m0->logits'))).to.equal('input -> m0 -> logits');
  });

  const refused: [string, string][] = [
    ['', '"" is no site'],
    ['a5', '"a5" is no site'],
    ['a5.hx', '"a5.hx" is no site'],
    ['a05.h1', '"a05.h1" is no site'],
    ['a5.h1.w', '"a5.h1.w" is no site'],
    ['m4.h1', '"m4.h1" is no site'],
    ['a5.h1@', '"" is no position'],
    ['a5.h1@-1', '"-1" is no position'],
    ['a5.h1@1..2..3', 'more than one ".."'],
    ['a5.h1@1@2', 'more than one "@"'],
    ['a5.h1@end<-IO', '"<-" is for patterns alone'],
    ['a5.h1.pattern@1<-2<-3', 'more than one "<-"'],
    ['a0.h1->a2.h3', '"a2.h3" is not what reads the residual stream (a head needs <q>, <k>, <v> or <*>)'],
    ['a0.h1<q>->m2', '"a0.h1<q>" is not what writes to the residual stream'],
    ['resid0.pre->m2', '"resid0.pre" is not what writes to the residual stream'],
    ['input->logits->m2', 'nothing follows the logits'],
  ];
  for (const [text, reason] of refused) {
    it(`refuses "${text}": ${reason}`, () => {
      expect(() => parseAddress(text))
        .to.throw(reason)
        .with.property('code', 'circuit/address');
    });
  }

  it('prints what it parses and parses what it prints', () => {
    const index = fc.oneof(fc.nat(200), fc.constant('*' as const));
    const site = fc
      .tuple(fc.constantFrom('a', 'a.q', 'a.z', 'a.pattern', 'm', 'n', 'resid', 'out', 'read'), index, index)
      .map(([form, layer, inner]) => {
        const head = inner === '*' ? '*' : `h${inner}`;
        const [, part] = form.split('.');
        if (form === 'm') return `m${layer}`;
        if (form === 'n') return `m${layer}.${inner === '*' ? '*' : `n${inner}`}`;
        if (form === 'resid') return `resid${layer}.mid`;
        if (form === 'out') return `a${layer}.out`;
        if (form === 'read') return `a${layer}.${head}<v>`;
        return `a${layer}.${head}${part === undefined ? '' : `.${part}`}`;
      });
    const point = fc.oneof(fc.nat(5000).map(String), fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_+]{0,5}$/));
    const span = fc.tuple(point, fc.option(point)).map(([from, to]) => (to === null ? from : `${from}..${to}`));
    fc.assert(
      fc.property(site, fc.option(span), (place, at) => {
        const text = at === null ? place : `${place}@${at}`;
        const address = parseAddress(text);
        expect(printAddress(address)).to.equal(text);
        expect(parseAddress(printAddress(address))).to.deep.equal(address);
      }),
      { seed: 10, numRuns: 300 },
    );
  });

  it('reads every edge name of a universe', () => {
    const universe = makeUniverse({ nLayers: 2, nHeads: 2, hasMlp: true, parallelBlocks: false });
    for (let edge = 0; edge < universe.edgeCount; edge++) {
      const address = parseAddress(universe.edgeName(edge));
      expect(printAddress(address)).to.equal(universe.edgeName(edge));
      expect(edgesBetween(universe, address.stops[0]!, address.stops[1]!)).to.deep.equal([edge]);
    }
  });
});

describe('wildcards', () => {
  const universe = makeUniverse({ nLayers: 2, nHeads: 2, hasMlp: true, parallelBlocks: false });
  const match = (text: string): string[] => {
    const [from, to] = parseAddress(text).stops;
    return edgesBetween(universe, from!, to!).map((edge) => universe.edgeName(edge));
  };

  it('stand for any layer, any head and any reader', () => {
    expect(match('a*.h1->logits')).to.deep.equal(['a0.h1->logits', 'a1.h1->logits']);
    expect(match('a0.*->m1')).to.deep.equal(['a0.h0->m1', 'a0.h1->m1']);
    expect(match('m0->a1.h0<*>')).to.deep.equal(['m0->a1.h0<q>', 'm0->a1.h0<k>', 'm0->a1.h0<v>']);
    expect(match('*->*')).to.have.length(universe.edgeCount);
  });

  it('stand for edges that exist alone', () => {
    expect(match('m1->a0.*<*>')).to.deep.equal([]);
    expect(match('m*->m*')).to.deep.equal(['m0->m1']);
  });
});
