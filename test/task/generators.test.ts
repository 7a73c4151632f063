import { readdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import { TheveninError } from '../../src/errors.js';
import { folderTokenizer, wordTokenizer } from '../../src/model/tokenizer.js';
import type { Tokenizer } from '../../src/model/types.js';
import { checkTask } from '../../src/task/check.js';
import { GENERATORS } from '../../src/task/generators/index.js';
import type { GeneratorContext } from '../../src/task/generators/generator.js';
import { IOI_NAMES, IOI_OBJECTS, IOI_PLACES, IOI_TEMPLATES } from '../../src/task/generators/ioi-words.js';
import type { TaskFile, TaskPair } from '../../src/task/schema.js';
import { parseTask } from '../../src/task/schema.js';
import { sharedPath, skipWithout } from '../helpers/shared.js';
import { configFor, textTokenizer } from './tokenizers.js';

/** Every word that the generators know, as a tokenizer with a large vocabulary would have it. */
const everyWord = (numbers: 'pairs' | 'digits'): Tokenizer =>
  textTokenizer({
    numbers,
    words: [
      ...[...IOI_TEMPLATES, ...IOI_NAMES, ...IOI_PLACES, ...IOI_OBJECTS].flatMap(
        (text) => text.match(/[A-Za-z]+/g) ?? [],
      ),
      ...'The attack plan war trip lasted from year doctor doctors boy boys man men near behind beside desk desks tree trees car cars is are has have'.split(
        ' ',
      ),
      ...'def self param air area art bar base bed bill block board body book box boy call car card case cell child city class code'.split(
        ' ',
      ),
    ],
  });
const large = everyWord('digits');

const generate = (key: string, context: Partial<GeneratorContext> = {}): TaskFile => {
  const tokenizer = context.tokenizer === undefined ? large : context.tokenizer;
  const generator = GENERATORS.find((one) => one.key === key);
  if (generator === undefined) throw new Error(`no generator ${key}`);
  return generator.generate({ tokenizer, config: configFor(tokenizer), count: 30, seed: 0, options: {}, ...context });
};

const refusal = (act: () => unknown): TheveninError => {
  try {
    act();
  } catch (error) {
    if (error instanceof TheveninError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
};

const words = (prompt: TaskPair['clean']): string[] => String(prompt).match(/[A-Za-z]+/g) ?? [];

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

      it('writes a valid task file that records its seed, its source, its model, and names the last position', () => {
        const file = generate(key, { seed: 9, count: 3 });
        expect(parseTask(JSON.parse(JSON.stringify(file)), key)).to.deep.equal(file);
        expect(file.generator).to.deep.equal({ name: key, seed: 9, count: 3 });
        expect(file.provenance).to.include({ source: reference });
        expect(file.model).to.deep.equal({ name: 'tiny', tokenizer: large.digest });
        for (const pair of file.pairs) expect(pair.spans).to.have.property('end');
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

describe('ioi', () => {
  const names = IOI_NAMES.slice(0, 20);
  const roles = ({ clean, corrupt, spans = {} }: TaskPair) => {
    const at = (prompt: TaskPair['clean'], span: string): string => {
      const [first, afterLast] = spans[span] as [number, number];
      return large.decode(large.encode(prompt as string).slice(first, afterLast)).trim();
    };
    const of = (prompt: TaskPair['clean']) => ({ IO: at(prompt, 'IO'), S1: at(prompt, 'S1'), S2: at(prompt, 'S2') });
    return { clean: of(clean), corrupt: of(corrupt) };
  };

  it('has 15 templates, 99 names, 8 places and 8 objects', () => {
    expect([IOI_TEMPLATES, IOI_NAMES, IOI_PLACES, IOI_OBJECTS].map((list) => new Set(list).size)).to.deep.equal([
      15, 99, 8, 8,
    ]);
  });

  it('uses all templates in both orders alike', () => {
    const counts = new Map<string, number>();
    for (const { group = '' } of generate('ioi', { count: 60 }).pairs) counts.set(group, (counts.get(group) ?? 0) + 1);
    expect(counts.size).to.equal(30);
    expect(new Set(counts.values())).to.deep.equal(new Set([2]));
  });

  it('asks for the indirect object, against the subject, which comes twice', () => {
    for (const pair of generate('ioi').pairs) {
      const { IO, S1, S2 } = roles(pair).clean;
      expect(S1).to.equal(S2).and.not.equal(IO);
      expect([pair.correct, pair.incorrect]).to.deep.equal([` ${IO}`, ` ${S1}`]);
      expect(words(pair.clean).filter((word) => word === IO)).to.have.length(1);
    }
  });

  it('puts the subject first in BABA and the indirect object first in ABBA', () => {
    for (const { group, spans } of generate('ioi').pairs) {
      const [io, s1] = [spans?.['IO'] as [number, number], spans?.['S1'] as [number, number]];
      expect(io[0] < s1[0]).to.equal(group?.startsWith('ABBA'));
      expect(spans?.['S1+1']).to.deep.equal([s1[1], s1[1] + 1]);
    }
  });

  it('s2-swap makes the indirect object act: the prompts differ at S2 alone, and the answer is exchanged', () => {
    for (const pair of generate('ioi', { options: { corruption: 's2-swap' } }).pairs) {
      const { clean, corrupt } = roles(pair);
      expect(corrupt).to.deep.equal({ ...clean, S2: clean.IO });
    }
  });

  it('abc puts three fresh names in their places, so that none is repeated', () => {
    for (const pair of generate('ioi', { options: { corruption: 'abc' } }).pairs) {
      const { clean, corrupt } = roles(pair);
      expect(new Set([clean.IO, clean.S1, corrupt.IO, corrupt.S1, corrupt.S2]).size).to.equal(5);
    }
  });

  it('can be held to some templates, one order, some names', () => {
    const file = generate('ioi', { options: { templates: [4, 12], order: 'ABBA', names: [...names] } });
    expect(new Set(file.pairs.map(({ group }) => group))).to.deep.equal(new Set(['ABBA 4', 'ABBA 12']));
    for (const { correct, incorrect } of file.pairs)
      for (const one of [correct, incorrect]) expect(names).to.include(String(one).trim());
  });

  it('keeps the names that are one token for the model, and records what it dropped', () => {
    const some = textTokenizer({
      words: [...IOI_TEMPLATES, ...IOI_PLACES, ...IOI_OBJECTS.slice(1), ...names].flatMap(
        (text) => text.match(/[A-Za-z]+/g) ?? [],
      ),
    });
    const { pairs, provenance } = generate('ioi', { tokenizer: some });
    for (const { correct } of pairs) expect(names).to.include(String(correct).trim());
    expect((provenance as { dropped: unknown }).dropped).to.deep.equal([
      { reason: 'names that are not one token for this model', count: 79, items: IOI_NAMES.slice(20) },
      { reason: 'objects that are not one token for this model', count: 1, items: ['ring'] },
    ]);
  });

  it('leaves out templates that a vocabulary of whole words cannot write', () => {
    const vocabulary = [...IOI_TEMPLATES.slice(0, 2), ...IOI_PLACES, ...IOI_OBJECTS, ...names].flatMap(
      (text) => text.match(/[A-Za-z]+|[.,]/g) ?? [],
    );
    const known = new Set(vocabulary);
    const base = textTokenizer({ words: [...known] });
    // an unknown word is written, but not read back
    const unknown = base.encode('#')[0] as number;
    const encode = (text: string): number[] =>
      (text.match(/ ?[A-Za-z]+|[^]/g) ?? []).flatMap((word) =>
        known.has(word.trim()) || word === ' ' ? base.encode(word) : [unknown],
      );
    const { pairs, provenance } = generate('ioi', { tokenizer: { ...base, encode } });
    expect(new Set(pairs.map(({ group }) => group))).to.deep.equal(new Set(['ABBA 0', 'BABA 0', 'ABBA 1', 'BABA 1']));
    expect((provenance as { dropped: { count: number }[] }).dropped.map(({ count }) => count)).to.deep.equal([79, 26]);
  });

  it('finds 81 of the 99 names to be one token for SmolLM2', async function () {
    const file = skipWithout(
      this,
      sharedPath('models', 'smollm2-135m', 'tokenizer.json'),
      'the tokenizer of SmolLM2 is not there',
    );
    const folder = dirname(file);
    const tokenizer = await folderTokenizer(folder, readdirSync(folder));
    const { provenance, pairs } = generate('ioi', {
      tokenizer,
      count: 96,
      config: { name: 'SmolLM2', dVocab: 49152, nCtx: 8192 },
    });
    const [dropped] = (provenance as { dropped: { reason: string; count: number; items: string[] }[] }).dropped;
    expect(dropped?.reason).to.match(/^names/);
    expect(IOI_NAMES.length - (dropped?.count ?? 0)).to.equal(81);
    expect(dropped?.items).to.include.members(['Brandon', 'Kimberly', 'Cody']);
    expect(pairs).to.have.length(96);
  });
});

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
      for (const kept of ['function', 'prefix1', 'suffix1']) expect(at(corrupt, kept)).to.equal(at(clean, kept));
    }
  });
});
