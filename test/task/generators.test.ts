import { expect } from 'chai';
import fc from 'fast-check';
import type { Tokenizer } from '../../src/model/types.js';
import { checkTask } from '../../src/task/check.js';
import { GENERATORS } from '../../src/task/generators/index.js';
import { parseTask } from '../../src/task/schema.js';
import { everyWord, generate, large, words } from './generate.js';
import { refusal } from './refusal.js';
import { configFor, textTokenizer } from './tokenizers.js';

describe('every generator', () => {
  for (const { key, title, reference } of GENERATORS) {
    describe(`${key}: ${title}`, () => {
      it('makes as many pairs as asked for, of equal token length, that the linter finds no fault with', () => {
        fc.assert(
          fc.property(fc.integer({ min: 0, max: 1e6 }), (seed) => {
            const file = generate(key, { seed, count: 12 });
            expect(file.pairs).to.have.length(12);
            const { task, findings } = checkTask(file, {
              path: key,
              tokenizer: large,
              config: configFor(large),
              split: true,
              seed,
            });
            expect(findings).to.deep.equal([]);
            for (const { clean, corrupt } of task?.examples ?? []) expect(corrupt).to.have.length(clean.length);
          }),
          { seed: 11, numRuns: 10 },
        );
      });

      it('makes the same task from the same seed, and another from another', () => {
        expect(generate(key, { seed: 4 })).to.deep.equal(generate(key, { seed: 4 }));
        expect(generate(key, { seed: 4 }).pairs).to.not.deep.equal(generate(key, { seed: 5 }).pairs);
      });

      it('writes a valid task file that records its seed, its source, its model, and names templates and the last position', () => {
        const file = generate(key, { seed: 9, count: 3 });
        expect(parseTask(JSON.parse(JSON.stringify(file)), key)).to.deep.equal(file);
        expect(file.generator).to.deep.equal({ name: key, seed: 9, count: 3 });
        expect(file.provenance).to.include({ source: reference });
        expect(file.model).to.deep.equal({ name: 'tiny', tokenizer: large.digest });
        for (const pair of file.pairs) expect(pair.spans).to.have.property('end');
        for (const { group } of file.pairs) expect(group).to.be.a('string').that.is.not.equal('');
      });

      it('refuses an option that it does not know', () => {
        const error = refusal(() => generate(key, { options: { corrupton: 'abc' } }));
        expect(error).to.include({ code: 'task/generator', exit: 2 });
        expect(error.message).to.match(new RegExp(`^generator ${key}: unknown option "corrupton"; expected`));
      });
    });
  }

  it('that writes text refuses a model without a tokenizer, or whose vocabulary is too small', () => {
    const tiny = textTokenizer({ words: ['When'] });
    for (const { key } of GENERATORS.filter((one) => one.key !== 'induction')) {
      expect(refusal(() => generate(key, { tokenizer: null })).message).to.match(/has no tokenizer/);
      expect(refusal(() => generate(key, { tokenizer: tiny })).code).to.equal('task/generator');
    }
  });

  it('refuses to make more pairs than there are', () => {
    const options = { structures: ['simple'] };
    const error = refusal(() => generate('subject-verb-agreement', { count: 50, options }));
    expect(error.message).to.match(
      /no more than \d+ different pairs were found for this model, 50 were asked for: ask for fewer/,
    );
  });
});

describe('greater-than', () => {
  it('asks for a two-digit number above the year where that is one token, as the paper does', () => {
    const tokenizer = everyWord('pairs');
    const { pairs, metric } = generate('greater-than', { tokenizer });
    expect(metric).to.equal('probability-difference');
    for (const { clean, corrupt, correct, incorrect } of pairs) {
      const [, year, century] =
        /^The \w+ lasted from the year \d\d(\d\d) to the year (\d\d)$/.exec(clean as string) ?? [];
      const numbers = (answer: unknown): string[] => (answer as number[]).map((id) => tokenizer.tokenText(id));
      expect(numbers(correct)).to.deep.equal(
        Array.from({ length: 99 - Number(year) }, (_, n) => String(Number(year) + 1 + n).padStart(2, '0')),
      );
      expect([...numbers(incorrect), ...numbers(correct)]).to.have.length(100);
      expect(numbers(incorrect).at(-1)).to.equal(year);
      expect(corrupt).to.equal((clean as string).replace(`${century}${year} `, `${century}01 `));
    }
  });

  it('gives the tens and asks for the units where digits are tokens of their own', () => {
    for (const { clean, corrupt, correct, incorrect } of generate('greater-than').pairs) {
      const [, century, year, tens] = /the year (\d\d)(\d\d) to the year \d\d(\d)$/.exec(clean as string) ?? [];
      const digits = (answer: unknown): string => (answer as number[]).map((id) => large.tokenText(id)).join('');
      expect(year?.[0]).to.equal(tens);
      expect(digits(incorrect) + digits(correct)).to.equal('0123456789');
      expect(digits(incorrect).at(-1)).to.equal(year?.[1]);
      expect(corrupt).to.equal((clean as string).replace(`${century}${year} `, `${century}01 `));
    }
  });

  it('refuses a tokenizer that writes years in no such way', () => {
    const odd: Tokenizer = { ...large, encode: (text) => large.encode(text.replace(/\d/g, '$&#')) };
    expect(refusal(() => generate('greater-than', { tokenizer: odd })).message).to.match(
      /writes years in no way that can be asked for \(two-digit, units\)/,
    );
  });
});

describe('subject-verb-agreement', () => {
  it('exchanges the number of the subject, and with it the answer', () => {
    const number = (word: string): string =>
      ['doctors', 'boys', 'men', 'are', 'have'].includes(word.trim()) ? 'plural' : 'singular';
    for (const { clean, corrupt, correct, incorrect, group } of generate('subject-verb-agreement', { count: 12 })
      .pairs) {
      const [a, b] = [words(clean), words(corrupt)];
      expect(a.flatMap((word, at) => (word === b[at] ? [] : [at]))).to.deep.equal([1]);
      expect(number(a[1] as string))
        .to.equal(number(correct as string))
        .and.not.equal(number(b[1] as string));
      expect(number(incorrect as string)).to.equal(number(b[1] as string));
      expect(group?.split(' ')[1]).to.equal(number(a[1] as string));
    }
  });
});

describe('docstring', () => {
  it('asks for the third argument of the definition, against its other arguments', () => {
    for (const { clean, correct, incorrect } of generate('docstring').pairs) {
      const [, list = ''] = /\(self, ([^)]*)\)/.exec(clean as string) ?? [];
      const names = list.split(', ');
      expect(names).to.have.length(6);
      expect(correct).to.equal(` ${names[4]}`);
      expect(incorrect).to.have.members(names.filter((_, at) => at !== 4).map((name) => ` ${name}`));
      expect(clean).to.match(new RegExp(`:param ${names[2]}: [^]*:param ${names[3]}: [^]*:param$`));
    }
  });

  it('draws the arguments of the corrupt prompt anew: none of the clean ones, none twice', () => {
    for (const { clean, corrupt, spans = {} } of generate('docstring').pairs) {
      const at = (prompt: unknown, slot: string): string =>
        large.decode(large.encode(prompt as string).slice(...(spans[slot] as [number, number])));
      const slots = ['A_def', 'B_def', 'C_def', 'A_doc', 'B_doc'];
      expect(
        new Set([...slots.slice(0, 3).map((slot) => at(clean, slot)), ...slots.map((slot) => at(corrupt, slot))]).size,
      ).to.equal(8);
      for (const kept of ['prefix1', 'prefix2', 'suffix1']) expect(at(corrupt, kept)).to.equal(at(clean, kept));
    }
  });
});
