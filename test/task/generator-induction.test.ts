import { expect } from 'chai';
import { wordTokenizer } from '../../src/model/tokenizer.js';
import type { Tokenizer } from '../../src/model/types.js';
import type { GeneratorContext } from '../../src/task/generators/generator.js';
import type { TaskPair } from '../../src/task/schema.js';
import { generate, large } from './generate.js';
import { refusal } from './refusal.js';

describe('induction', () => {
  const ids = (prompt: TaskPair['clean']): number[] => prompt as number[];
  /** what followed the last token where it stood before */
  const induced = (prompt: number[]): number | undefined => prompt[prompt.indexOf(prompt.at(-1) as number) + 1];

  it('needs no tokenizer, only the size of the vocabulary', () => {
    const { pairs, bos } = generate('induction', { tokenizer: null, config: { name: 'tiny', dVocab: 40, nCtx: 64 } });
    expect(bos).to.equal(false);
    for (const { clean } of pairs) for (const id of ids(clean)) expect(id).to.be.within(0, 39);
  });

  for (const corruption of ['predecessor', 'successor']) {
    it(`${corruption}: induction answers with the correct token on clean and with the incorrect one on corrupt`, () => {
      for (const { clean, corrupt, correct, incorrect } of generate('induction', { options: { corruption } }).pairs) {
        expect(induced(ids(clean))).to.equal(correct);
        expect(induced(ids(corrupt))).to.equal(incorrect);
        expect(correct).to.not.equal(incorrect);
      }
    });
  }

  it('predecessor exchanges two tokens of the first run and leaves the last token and both answers in place', () => {
    for (const { clean, corrupt, correct, incorrect } of generate('induction').pairs) {
      const [a, b] = [ids(clean), ids(corrupt)];
      const differ = a.flatMap((id, at) => (id === b[at] ? [] : [at]));
      expect(differ).to.have.length(2);
      expect([...a].sort()).to.deep.equal([...b].sort());
      expect(a.at(-1)).to.equal(b.at(-1));
      for (const answer of [correct, incorrect] as number[]) expect(a.indexOf(answer)).to.equal(b.indexOf(answer));
    }
  });

  it('runs through a sequence of different tokens and begins again, at many offsets but one length', () => {
    const { pairs } = generate('induction');
    const periods = pairs.map(({ clean }) => ids(clean).indexOf(ids(clean)[0] as number, 1));
    expect(new Set(periods).size).to.be.greaterThan(3);
    pairs.forEach(({ clean, group }, index) => {
      const period = periods[index] as number;
      expect(new Set(ids(clean).slice(0, period)).size).to.equal(period);
      expect(ids(clean).slice(period)).to.deep.equal(ids(clean).slice(0, ids(clean).length - period));
      expect(group).to.equal(`period ${period}`);
      expect(clean).to.have.length(32);
    });
  });

  it('names where the last token stood first, what followed, and the other pair', () => {
    for (const { clean, spans = {}, correct, incorrect } of generate('induction').pairs) {
      const at = (span: string): number | undefined => ids(clean)[(spans[span] as [number, number])[0]];
      expect([at('first'), at('successor'), at('other_successor'), at('end')]).to.deep.equal([
        ids(clean).at(-1),
        correct,
        incorrect,
        ids(clean).at(-1),
      ]);
    }
  });

  it('draws from a range of ids, to a length that fits the context', () => {
    const { pairs } = generate('induction', {
      tokenizer: null,
      config: { name: 'tiny', dVocab: 100, nCtx: 12 },
      options: { vocabulary: [50, 70] },
    });
    for (const { clean } of pairs) {
      expect(clean).to.have.length(11);
      for (const id of ids(clean)) expect(id).to.be.within(50, 69);
    }
  });

  it('draws no special tokens and no parts of characters from a tokenizer', () => {
    const plain = large.vocabSize - 1;
    const fussy: Tokenizer = {
      ...large,
      encode: (text) => (text === large.tokenText(plain) ? [1, 2] : large.encode(text)),
    };
    for (const { clean } of generate('induction', { tokenizer: fussy, count: 60 }).pairs)
      expect(clean).to.not.include.members([0]).and.not.include(plain);
  });

  it('asks for BOS where the tokenizer prepends it', () => {
    expect(generate('induction', { tokenizer: { ...large, prependsBos: true } }).bos).to.equal(true);
  });

  it('works on a vocabulary of whole words', () => {
    const numbers = wordTokenizer(
      Array.from({ length: 48 }, (_, n) => String(n)),
      { bosId: 0, origin: 'model.json' },
    );
    expect(generate('induction', { tokenizer: numbers }).pairs).to.have.length(30);
  });

  const impossible: Record<string, Partial<GeneratorContext>> = {
    'a context that is too short': { config: { name: 'tiny', dVocab: 100, nCtx: 7 } },
    'prompts longer than the context': { options: { length: 65 } },
    'a vocabulary that is too small': { options: { vocabulary: [0, 9] } },
    'ids that are not there': { options: { vocabulary: [0, 100000] } },
  };
  for (const [what, context] of Object.entries(impossible)) {
    it(`refuses ${what}`, () => {
      expect(refusal(() => generate('induction', context)).code).to.equal('task/generator');
    });
  }
});
