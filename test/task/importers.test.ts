import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { IMPORTERS, importTask } from '../../src/task/importers/index.js';
import type { ImportOptions } from '../../src/task/importers/importer.js';
import { parseTask, type DroppedSource, type TaskFile } from '../../src/task/schema.js';
import { refusal } from './refusal.js';
import { configFor, textTokenizer } from './tokenizers.js';

const excerpt = (name: string): string => readFileSync(new URL(`../goldens/datasets/${name}`, import.meta.url), 'utf8');
const read = (key: string, name: string, options: Partial<ImportOptions> = {}): TaskFile =>
  importTask(key, excerpt(name), { path: name, ...options });
const dropped = ({ provenance }: TaskFile): readonly DroppedSource[] | undefined =>
  (provenance as { dropped?: DroppedSource[] }).dropped;

describe('importing EAP-IG CSV', () => {
  it('reads IOI rows: names from the text, one corrupt column or the other', () => {
    const task = read('eap-ig-csv', 'eap-ig-ioi.csv');
    expect(task.pairs).to.have.length(12);
    expect(task.metric).to.equal('logit-difference');
    expect(task.pairs[0]).to.deep.equal({
      clean: 'Then, Aaron and Amber were working at the house. Aaron decided to give a drink to',
      corrupt: 'Then, Aaron and Amber were working at the house. Tiffany decided to give a drink to',
      correct: [' Amber'],
      incorrect: [' Aaron'],
    });
    expect(read('eap-ig-csv', 'eap-ig-ioi.csv', { corrupt: 'corrupted_hard' }).pairs[0]?.corrupt).to.match(
      /Amber decided/,
    );
    expect(task.provenance).to.deep.include({ source: 'github.com/hannamw/EAP-IG (MIT)', dropped: [] });
  });

  it("takes the file's own ids where they are asked for, and says whose they are", () => {
    const task = read('eap-ig-csv', 'eap-ig-ioi.csv', { answers: 'ids' });
    expect(task.pairs[0]).to.deep.include({ correct: [47764], incorrect: [26757] });
    expect((task.provenance as { note: string }).note).to.match(
      /answers are ids of the tokenizer that the file was made with/,
    );
  });

  it('reads greater-than rows: the years above the label against the others', () => {
    const task = read('eap-ig-csv', 'eap-ig-greater-than.csv');
    expect(task.metric).to.equal('probability-difference');
    const { clean, correct, incorrect } = task.pairs[0] as { clean: string; correct: string[]; incorrect: string[] };
    expect(clean).to.equal('The contract lasted from the year 1352 to the year 13');
    expect([correct[0], correct.at(-1), incorrect[0], incorrect.at(-1)]).to.deep.equal(['53', '99', '00', '52']);
  });

  it('reads fact retrieval, gender bias and hypernymy by their columns', () => {
    const csv = (text: string, options: Partial<ImportOptions> = {}) =>
      importTask('eap-ig-csv', text, { path: 'x.csv', ...options });
    const facts =
      'clean,capital,country,country_idx,corrupted,corrupted_capital,corrupted_country,corrupted_country_idx\n"Rome, the capital of",Rome,Italy,5,"Oslo, the capital of",Oslo,Norway,6\n';
    expect(csv(facts).pairs).to.deep.equal([
      { clean: 'Rome, the capital of', corrupt: 'Oslo, the capital of', correct: [' Italy'], incorrect: [' Norway'] },
    ]);
    expect(csv(facts, { answers: 'ids' }).pairs[0]).to.deep.include({ correct: [5], incorrect: [6] });
    const gender = 'clean,corrupted,clean_answer_idx,corrupted_answer_idx,label\na nurse,a miner,11,12,0\n';
    expect(csv(gender).pairs).to.deep.equal([{ clean: 'a nurse', corrupt: 'a miner', correct: [11], incorrect: [12] }]);
    const hypernymy = 'clean,corrupted,answers_idx,corrupted_answers_idx\na sparrow is a,an oak is a,"[3, 4]","[5]"\n';
    expect(csv(hypernymy)).to.deep.include({
      metric: 'probability-difference',
      pairs: [{ clean: 'a sparrow is a', corrupt: 'an oak is a', correct: [3, 4], incorrect: [5] }],
    });
  });

  it('leaves out rows that lack something, and counts them', () => {
    const text =
      'clean,corrupted,label\nin 1732 to 17,in 1701 to 17,32\n,in 1701 to 17,32\nin 1799 to 17,in 1701 to 17,99\n';
    const task = importTask('eap-ig-csv', text, { path: 'x.csv' });
    expect(task.pairs).to.have.length(1);
    expect(dropped(task)).to.deep.equal([
      { reason: 'a prompt is missing', count: 1 },
      { reason: 'the year is not a number from 0 to 98', count: 1 },
    ]);
  });
});

describe('importing auto-circuit JSON', () => {
  it('reads prompts as text or ids, answer lists, and word positions as spans', () => {
    const task = read('auto-circuit', 'auto-circuit.json');
    expect(task.pairs).to.have.length(2);
    expect(task.pairs[0]).to.deep.include({ correct: [' Mary'], incorrect: [' John'] });
    expect(task.pairs[0]?.spans).to.deep.equal({
      IO: [2, 3],
      S1: [4, 5],
      'S1+1': [5, 6],
      S2: [10, 11],
      end: [14, 15],
      _B: [9, 10],
    });
    expect(task.pairs[1]).to.deep.include({ clean: [5, 6, 7], corrupt: [5, 8, 7], correct: [6, 9] });
    expect(dropped(task)).to.deep.equal([
      { reason: 'an answer is missing', count: 1 },
      { reason: 'the prompt is given as embeddings', count: 1 },
    ]);
  });
});

describe('importing feature-circuits JSON Lines', () => {
  it('reads prefixes and answers, the case as group', () => {
    const task = read('feature-circuits', 'feature-circuits-nounpp.jsonl');
    expect(task.pairs).to.have.length(12);
    expect(task.pairs[0]).to.deep.equal({
      clean: 'The uncles behind the dogs',
      corrupt: 'The uncle behind the dogs',
      correct: ' do',
      incorrect: ' does',
      group: 'plural_plural',
    });
  });
});

describe('importing MIB rows', () => {
  it('reads IOI with the counterfactual asked for; the answers are the names of the clean prompt', () => {
    const task = read('mib', 'mib-ioi.json');
    expect(task.pairs).to.deep.equal([
      {
        clean: 'Then, Mary and John went to the store. John gave a ring to',
        corrupt: 'Then, Mary and John went to the store. Mary gave a ring to',
        correct: ' Mary',
        incorrect: ' John',
      },
    ]);
    expect(dropped(task)).to.deep.equal([{ reason: 'an answer is missing', count: 1 }]);
    expect(read('mib', 'mib-ioi.json', { corrupt: 'abc_counterfactual' }).pairs[0]?.corrupt).to.match(
      /^Then, Anna and Paul/,
    );
  });

  it('reads multiple choice: the label of the right choice, against that of the counterfactual', () => {
    const task = read('mib', 'mib-mcqa.jsonl');
    expect(task.pairs).to.have.length(1);
    expect(task.pairs[0]).to.include({ correct: ' A', incorrect: ' B' });
    expect(dropped(task)).to.deep.equal([{ reason: 'the counterfactual has the same answer', count: 1 }]);
  });

  it('reads arithmetic with its fields flattened', () => {
    expect(read('mib', 'mib-arithmetic.jsonl').pairs).to.deep.equal([
      { clean: '1 + 2 = ', corrupt: '1 + 4 = ', correct: '3', incorrect: '5' },
    ]);
  });
});

describe('an import for a model', () => {
  const words = 'The uncle uncles behind the dogs dog carpenters beside truck kids kid near bikes do does are is'.split(
    ' ',
  );
  const tokenizer = textTokenizer({ words });
  const model = { tokenizer, config: configFor(tokenizer) };

  it('leaves out rows that the linter would refuse, and says how many and why', () => {
    const task = read('feature-circuits', 'feature-circuits-nounpp.jsonl', { model });
    expect(task.pairs.map(({ clean }) => clean)).to.deep.equal([
      'The uncles behind the dogs',
      'The kids near the bikes',
      // letter by letter, but as many letters in both prompts
      'The men near the chair',
      'The woman behind the windows',
      'The men behind the desk',
    ]);
    const counts = dropped(task) ?? [];
    expect(counts.map(({ reason }) => reason)).to.include('linter: token-length');
    expect(counts.reduce((sum, { count }) => sum + count, 0)).to.equal(7);
    expect(task.model).to.deep.equal({ name: 'tiny', tokenizer: tokenizer.digest });
  });

  it('refuses a file of which nothing is left', () => {
    const error = refusal(() => read('eap-ig-csv', 'eap-ig-greater-than.csv', { model }));
    expect(error).to.include({ code: 'task/import', exit: 2 });
    expect(error.message).to.match(/^eap-ig-greater-than\.csv: no row can be used \(6 × linter: /);
  });
});

describe('every importer', () => {
  const files: Record<string, string> = {
    'eap-ig-csv': 'eap-ig-ioi.csv',
    'auto-circuit': 'auto-circuit.json',
    'feature-circuits': 'feature-circuits-nounpp.jsonl',
    mib: 'mib-ioi.json',
  };

  for (const { key } of IMPORTERS) {
    it(`${key}: makes a valid task file, named as asked`, () => {
      const task = read(key, files[key] as string, { name: 'mine' });
      expect(parseTask(JSON.parse(JSON.stringify(task)), 'mine.json').name).to.equal('mine');
    });

    it(`${key}: refuses a file in another format in one line`, () => {
      for (const text of ['{"a": 1', '[1, 2]', '{}', 'a,b\n1,2\n', '"x']) {
        const error = refusal(() => importTask(key, text, { path: 'data.x' }));
        expect(error.code).to.be.oneOf(['task/json', 'task/import']);
        expect(error.message)
          .to.match(/^data\.x/)
          .and.not.include('\n');
      }
    });
  }

  it('is found by its key, or the keys are named', () => {
    expect(refusal(() => importTask('acdc', '', { path: 'x' })).message).to.match(
      /no importer is called "acdc"; expected one of auto-circuit, eap-ig-csv, feature-circuits, mib/,
    );
  });
});
