import { expect } from 'chai';
import { checkTask } from '../../src/task/check.js';
import type { TaskContext } from '../../src/task/prepare.js';
import type { TaskFile, TaskPair } from '../../src/task/schema.js';
import type { CheckedTask, Example, MetricKey } from '../../src/task/types.js';
import { configFor, textTokenizer } from './tokenizers.js';

const words = 'When Mary Anna John and went to the store gave'.split(' ');
const tokenizer = textTokenizer({ words });
const id = (text: string): number => tokenizer.encode(text)[0] as number;

const clean = 'When Mary and John went to the store John gave to';
const corrupt = 'When Mary and John went to the store Mary gave to';
const pair: TaskPair = { clean, corrupt, correct: ' Mary', incorrect: ' John' };

const check = (
  pairs: readonly TaskPair[],
  context: Partial<TaskContext> = {},
  more: Partial<TaskFile> = {},
): CheckedTask => {
  const file: TaskFile = { name: 'ioi', metric: 'logit-difference', ...more, pairs: [...pairs] };
  const { task, findings } = checkTask(file, {
    path: 'T.json',
    tokenizer,
    config: configFor(tokenizer),
    split: false,
    seed: 0,
    ...context,
  });
  expect(findings.filter(({ severity }) => severity === 'error')).to.deep.equal([]);
  return task as CheckedTask;
};
const checkOne = (one: TaskPair, context: Partial<TaskContext> = {}, more: Partial<TaskFile> = {}): Example =>
  check([one], context, more).examples[0] as Example;

describe('a checked task', () => {
  it('has token ids, and asks for the next token at the last position', () => {
    const example = checkOne(pair);
    expect(example.clean).to.deep.equal(tokenizer.encode(clean));
    expect(example.corrupt).to.deep.equal(tokenizer.encode(corrupt));
    expect(example.answers).to.deep.equal([
      { position: 10, correct: { ids: [id(' Mary')], weights: [1] }, incorrect: { ids: [id(' John')], weights: [1] } },
    ]);
  });

  it('takes text answers as written: the leading space counts', () => {
    expect(checkOne({ ...pair, correct: 'Mary' }).answers[0]?.correct.ids).to.deep.equal([id('Mary')]);
    expect(id('Mary')).to.not.equal(id(' Mary'));
  });

  it('takes ids as they are', () => {
    const example = checkOne({ clean: [5, 6, 7], corrupt: [5, 8, 7], correct: 9, incorrect: [10, 11] });
    expect(example.clean).to.deep.equal([5, 6, 7]);
    expect(example.answers[0]?.incorrect).to.deep.equal({ ids: [10, 11], weights: [0.5, 0.5] });
  });

  it('scales the weights of an answer set to sum to 1', () => {
    const correct = [{ answer: ' Mary', weight: 3 }, ' Anna'];
    expect(checkOne({ ...pair, correct }).answers[0]?.correct).to.deep.equal({
      ids: [id(' Mary'), id(' Anna')],
      weights: [0.75, 0.25],
    });
  });

  it('adds the probabilities of a set up: for probability-difference every weight is 1', () => {
    const example = checkOne({ ...pair, correct: [' Mary', ' Anna'] }, {}, { metric: 'probability-difference' });
    expect(example.answers[0]?.correct.weights).to.deep.equal([1, 1]);
  });

  it('asks at several positions, counted from the start, from the end, or by a span', () => {
    const answers = [3, -2, 'S2'].map((at) => ({ at, correct: ' Mary', incorrect: ' John' }));
    const example = checkOne({ clean, corrupt, answers, spans: { S2: [8, 9] } });
    expect(example.answers.map(({ position }) => position)).to.deep.equal([3, 9, 8]);
  });

  it('finds spans by position, by text, and by which occurrence of a text', () => {
    const spans = {
      IO: 'Mary',
      S2: { text: 'John', occurrence: 2 },
      place: { text: 'the store', at: [6, 8] as [number, number] },
      end: [10, 11] as [number, number],
    };
    expect(checkOne({ ...pair, spans }).spans).to.deep.equal({ IO: [1, 2], S2: [8, 9], place: [6, 8], end: [10, 11] });
  });

  it('carries the group, the metric, the name, and where it comes from', () => {
    const task = check(
      [{ ...pair, group: 'BABA' }],
      {},
      { provenance: { source: 'a paper', licence: 'MIT', dropped: [{ reason: 'too long', count: 2 }] } },
    );
    expect(task).to.include({
      name: 'ioi',
      metric: 'logit-difference',
      provenance: 'a paper; MIT; 2 left out: too long',
    });
    expect(task.examples[0]?.group).to.equal('BABA');
  });

  it('has a digest of its content, whatever the order of its fields', () => {
    const [a, b] = [check([pair]), check([{ incorrect: ' John', correct: ' Mary', corrupt, clean }])];
    expect(a.digest)
      .to.match(/^[0-9a-f]{64}$/)
      .and.equal(b.digest);
    expect(check([{ ...pair, correct: ' Anna' }]).digest).to.not.equal(a.digest);
  });

  it('needs no answers for kl-divergence, and a number for squared-error', () => {
    const none = { ids: [], weights: [] };
    expect(checkOne({ clean, corrupt }, {}, { metric: 'kl-divergence' }).answers).to.deep.equal([
      { position: 10, correct: none, incorrect: none },
    ]);
    expect(checkOne({ clean, corrupt, target: 2.5 }, {}, { metric: 'squared-error' }).answers).to.deep.equal([
      { position: 10, correct: none, incorrect: none, target: 2.5 },
    ]);
  });

  it('can be run under a metric that has no use for some of its answers', () => {
    for (const metric of ['log-probability', 'kl-divergence'] satisfies MetricKey[]) {
      expect(checkOne(pair, {}, { metric }).answers[0]?.incorrect.ids).to.deep.equal([]);
    }
  });
});

describe('BOS', () => {
  const prepending = textTokenizer({ words, prependsBos: true });

  it('auto follows the tokenizer: prepended where its template does', () => {
    const with_ = check([pair], { tokenizer: prepending });
    const without = check([pair]);
    expect(with_.examples[0]?.clean).to.deep.equal([0, ...(without.examples[0]?.clean ?? [])]);
    expect([with_.bos, without.bos]).to.deep.equal([true, false]);
  });

  it('shifts answers and spans, which a task file counts without it', () => {
    const one = { ...pair, correct: undefined, incorrect: undefined, spans: { S2: [8, 9] as [number, number] } };
    const answers = [{ at: 3, correct: ' Mary', incorrect: ' John' }];
    const example = checkOne(JSON.parse(JSON.stringify({ ...one, answers })) as TaskPair, { bos: true });
    expect(example.answers[0]?.position).to.equal(4);
    expect(example.spans).to.deep.equal({ S2: [9, 10] });
  });

  it('the caller stands above the file, the file above auto', () => {
    const at = (context: Partial<TaskContext>, bos?: boolean): number | undefined =>
      checkOne(pair, context, bos === undefined ? {} : { bos }).clean[0];
    expect(at({}, true)).to.equal(0);
    expect(at({ bos: false }, true)).to.equal(id('When'));
    expect(at({ tokenizer: prepending }, false)).to.equal(id('When'));
    expect(at({ tokenizer: prepending, bos: 'auto' }, false)).to.equal(0);
  });

  it('auto leaves token ids alone; true puts it before ids that lack it, and not twice', () => {
    const ids = (first: number[]): TaskPair => ({
      clean: [...first, 5, 6],
      corrupt: [...first, 7, 6],
      correct: 8,
      incorrect: 9,
    });
    expect(checkOne(ids([]), { tokenizer: prepending }).clean).to.deep.equal([5, 6]);
    expect(checkOne(ids([]), { bos: true }).clean).to.deep.equal([0, 5, 6]);
    expect(checkOne(ids([0]), { bos: true }).clean).to.deep.equal([0, 5, 6]);
  });
});

describe('the splits of a checked task', () => {
  const names = ['Mary', 'Anna', 'John', 'store', 'went', 'gave', 'the', 'to'];
  const pairs = names.map((name): TaskPair => ({
    clean: `When ${name} went`,
    corrupt: `When and went`,
    correct: ' to',
    incorrect: ' the',
  }));

  it('are drawn by the seed', () => {
    const { splits } = check(pairs, { split: true, seed: 5 });
    expect([splits.discover.length, splits.choose.length, splits.report.length]).to.deep.equal([4, 2, 2]);
    expect(splits).to.include({ whole: false, seed: 5 });
    expect(check(pairs, { split: true, seed: 5 }).splits).to.deep.equal(splits);
  });

  it('never tell apart pairs with the same two prompts, in whichever role', () => {
    const swapped = pairs.map(({ clean: a, corrupt: b }): TaskPair => ({
      clean: b,
      corrupt: a,
      correct: ' to',
      incorrect: ' the',
    }));
    for (let seed = 0; seed < 10; seed++) {
      const { splits } = check([...pairs, ...swapped], { split: true, seed });
      for (const part of [splits.discover, splits.choose, splits.report]) {
        for (const index of part) expect(part).to.include((index + 8) % 16);
      }
    }
  });

  it('are those of the file where it gives them', () => {
    const given = { discover: [0, 1, 2, 3], choose: [4], report: [5, 6] };
    expect(check(pairs, { split: true }, { splits: given }).splits).to.deep.equal({ ...given, whole: false, seed: 0 });
  });

  it('are every pair with --no-split, also of a file that gives splits, or has a single pair', () => {
    const given = { discover: [0], choose: [1], report: [2] };
    expect(check(pairs.slice(0, 3), {}, { splits: given }).splits)
      .to.include({ whole: true })
      .and.deep.include({ report: [0, 1, 2] });
    expect(check([pair]).splits.report).to.deep.equal([0]);
  });
});
