import { expect } from 'chai';
import { IOI_NAMES, IOI_TEMPLATES } from '../../src/task/generators/ioi-words.js';
import { seeded } from '../../src/task/random.js';
import { ioiRecipe, ioiVocabulary } from '../../src/train/recipes/ioi.js';
import { drawText, HELD_OUT, isHeldOutPair } from '../../src/train/recipes/ioi-corpus.js';
import { wordsOf } from '../../src/train/files/word-tokenizer.js';

describe('the corpus of the ioi model', () => {
  const random = seeded(2);
  const texts = Array.from({ length: 4000 }, () => drawText(random));
  const namesIn = (text: string): string[] => wordsOf(text).filter((word) => IOI_NAMES.includes(word));

  it('holds out a tenth of the name pairs, and yet shows every name', () => {
    const pairs = IOI_NAMES.flatMap((one, i) => IOI_NAMES.slice(i + 1).map((other) => isHeldOutPair(one, other)));
    expect(pairs.filter(Boolean).length / pairs.length).to.be.closeTo(0.1, 0.01);
    expect(new Set(texts.flatMap(namesIn)).size).to.equal(99);
  });

  it('never has the two names of a held-out pair in one text', () => {
    for (const text of texts) {
      const names = namesIn(text);
      expect(
        names.some((one) => names.some((other) => isHeldOutPair(one, other))),
        text,
      ).to.equal(false);
    }
  });

  it('never has a held-out template', () => {
    for (const index of HELD_OUT.templates) {
      const form = new RegExp((IOI_TEMPLATES[index] ?? '').replace(/[.]/g, '\\.').replace(/\[\w+\]/g, '\\w+'));
      expect(form.test((IOI_TEMPLATES[index] ?? '').replace(/\[\w+\]/g, 'x'))).to.equal(true);
      expect(texts.filter((text) => form.test(text))).to.deep.equal([]);
    }
  });

  it('fits the context, in words of the vocabulary', () => {
    for (const text of texts) expect(ioiVocabulary.encode(text).length).to.be.at.most(ioiRecipe.blueprint.config.nCtx);
  });

  it('has texts in which the repeated name comes again, which copying the other name would get wrong', () => {
    const repeats = texts.filter((text) => {
      const names = namesIn(text);
      const last = names.at(-1);
      return names.length > 2 && new Set(names).size === 2 && names.filter((name) => name === last).length > 1;
    });
    expect(repeats.length / texts.length).to.be.above(0.05);
  });

  it('has texts of three names whose last may be either of the first two', () => {
    const three = texts.map(namesIn).filter((names) => names.length === 4 && new Set(names).size === 3);
    const first = three.filter((names) => names[3] === names[0]).length;
    const second = three.filter((names) => names[3] === names[1]).length;
    expect(first).to.be.above(100);
    expect(second / first).to.be.within(0.7, 1.4);
  });

  it('has texts of one name and of none', () => {
    const counts = texts.map((text) => new Set(namesIn(text)).size);
    for (const count of [0, 1]) expect(counts.filter((n) => n === count).length / texts.length).to.be.above(0.04);
  });
});
