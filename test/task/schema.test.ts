import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { emitTaskSchema, parseTask } from '../../src/task/schema.js';
import { refusal } from './refusal.js';

const minimal = {
  name: 'greeting',
  metric: 'logit-difference',
  pairs: [{ clean: 'Good morning', corrupt: 'Good evening', correct: ' sun', incorrect: ' moon' }],
};

const withPair = (changes: object) => ({ ...minimal, pairs: [{ ...minimal.pairs[0], ...changes }] });

describe('the task file', () => {
  it('is published as schemas/task.schema.json, equal to what the code checks', () => {
    expect(readFileSync(new URL('../../schemas/task.schema.json', import.meta.url), 'utf8')).to.equal(emitTaskSchema());
  });

  it('needs no more than a name, a metric and pairs of prompts with their answers', () => {
    expect(parseTask(minimal, 'T.json')).to.deep.equal(minimal);
  });

  const accepted: Record<string, object> = {
    'prompts and answers as token ids': { clean: [1, 2, 3], corrupt: [1, 4, 3], correct: 5, incorrect: 6 },
    'several answers': { correct: [' sun', 17], incorrect: [' moon'] },
    'weighted answers': { correct: [{ answer: ' sun', weight: 3 }, ' light'] },
    'answers at several positions': {
      correct: undefined,
      incorrect: undefined,
      answers: [
        { at: 1, correct: ' a', incorrect: ' b' },
        { at: 'greeting', correct: 7, incorrect: 8 },
        { at: -1, correct: ' c', incorrect: ' d' },
      ],
    },
    'spans by position, by text, and by both': {
      spans: { a: [0, 1], b: 'morning', c: { text: 'morning', at: [1, 2] }, 'S1+1': { text: 'o', occurrence: 2 } },
    },
    'a numeric target': { target: -0.5 },
    'a group': { group: 'template 1' },
  };
  for (const [what, changes] of Object.entries(accepted)) {
    it(`admits ${what}`, () => {
      const task = JSON.parse(JSON.stringify(withPair(changes))) as unknown;
      expect(parseTask(task, 'T.json')).to.equal(task);
    });
  }

  it('admits splits, bos, provenance, model hints, and a generator instead of pairs', () => {
    const task = {
      name: 'made',
      metric: 'kl-divergence',
      generator: { name: 'ioi', seed: 7, count: 12, options: { corruption: 'abc' } },
      bos: 'auto',
      splits: { discover: [0], choose: [1], report: [2] },
      provenance: { source: 'here', licence: 'MIT', note: 'by hand', dropped: [{ reason: 'long', count: 1 }] },
      model: { name: 'gpt2', tokenizer: 'f'.repeat(64) },
    };
    expect(parseTask(task, 'T.json')).to.equal(task);
  });

  const refused: readonly (readonly [what: string, value: unknown, message: RegExp])[] = [
    [
      'an unknown field',
      { ...minimal, metrics: 1 },
      /^T\.json: \/: unknown field "metrics"; expected only name, metric, pairs/,
    ],
    [
      'an unknown field of a pair',
      withPair({ wrong: 1 }),
      /^T\.json: \/pairs\/0: unknown field "wrong"; expected only clean, corrupt/,
    ],
    [
      'an unknown field of an answer',
      withPair({ correct: { answer: ' a', wieght: 1 } }),
      /\/pairs\/0\/correct: unknown field "wieght"/,
    ],
    [
      'an unknown metric',
      { ...minimal, metric: 'accuracy' },
      /\/metric: expected one of logit-difference, .*, not "accuracy"/,
    ],
    [
      'a prompt that is neither text nor ids',
      withPair({ clean: 5 }),
      /\/pairs\/0\/clean: expected text or an array of token ids, not 5/,
    ],
    ['an id that is not whole', withPair({ clean: [1, 2.5] }), /\/pairs\/0\/clean\/1: expected a token id, not 2\.5/],
    ['a missing prompt', withPair({ corrupt: undefined }), /\/pairs\/0: "corrupt" is missing/],
    [
      'an answer that is a sequence of sequences',
      withPair({ correct: [[1, 2]] }),
      /\/pairs\/0\/correct\/0: expected text, one token id/,
    ],
    ['neither pairs nor generator', { name: 'x', metric: 'kl-divergence' }, /neither "pairs" nor "generator"/],
    ['no pairs at all', { ...minimal, pairs: [] }, /\/pairs: expected a list of at least one pair/],
    ['something that is no object', 'ioi', /^T\.json: \/: expected .*, not "ioi"/],
    [
      'a span name with a dot',
      withPair({ spans: { 'a.b': [0, 1] } }),
      /\/pairs\/0\/spans: unknown field "a\.b"; expected named spans/,
    ],
  ];
  for (const [what, value, message] of refused) {
    it(`refuses ${what}, saying where and what was expected`, () => {
      const clean: unknown = JSON.parse(JSON.stringify(value));
      const error = refusal(() => parseTask(clean, 'T.json'));
      expect(error.code).to.equal('task/schema');
      expect(error.exit).to.equal(2);
      expect(error.message).to.match(message).and.not.include('\n');
    });
  }
});
