import { mkdtemp, readdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { TheveninError } from '../../src/errors.js';
import { checkTask } from '../../src/task/check.js';
import { loadTask, resolveTask, shippedTasks } from '../../src/task/files/load.js';
import { configFor, textTokenizer } from './tokenizers.js';

const refusal = async (act: Promise<unknown>): Promise<TheveninError> => {
  try {
    await act;
  } catch (error) {
    if (error instanceof TheveninError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
};

const pair = { clean: [1, 2], corrupt: [1, 3], correct: 4, incorrect: 5 };
const task = { name: 'mine', metric: 'logit-difference', pairs: [pair, { ...pair, clean: [1, 6] }] };

describe('loading a task', () => {
  let folder: string;
  const write = async (name: string, text: string): Promise<string> => {
    const file = path.join(folder, name);
    await writeFile(file, text);
    return file;
  };
  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'thevenin-task-'));
  });

  it('finds shipped tasks by name', async () => {
    expect((await loadTask('ioi')).source).to.include({ name: 'ioi', metric: 'logit-difference' });
  });

  it('finds a task file by its path', async () => {
    const file = await write('mine.json', JSON.stringify(task));
    expect(await loadTask(file)).to.deep.equal({ source: task, path: file });
  });

  const faults: readonly (readonly [what: string, name: string, text: string | null, code: string, message: RegExp])[] =
    [
      ['a file that is not there', 'none.json', null, 'file/missing', /none\.json: no such file; expected a task file/],
      ['JSON that is cut off', 'cut.json', '{"name": "x",', 'task/json', /cut\.json: not well-formed JSON/],
      [
        'an unknown field',
        'field.json',
        JSON.stringify({ ...task, pears: [] }),
        'task/schema',
        /field\.json: \/: unknown field "pears"/,
      ],
    ];
  for (const [what, name, text, code, message] of faults) {
    it(`refuses ${what} in one line`, async () => {
      const file = text === null ? path.join(folder, name) : await write(name, text);
      const error = await refusal(loadTask(file));
      expect(error).to.include({ code, exit: 2 });
      expect(error.message).to.match(message).and.not.include('\n');
    });
  }

  it('refuses a folder as unreadable', async () => {
    expect((await refusal(loadTask(`${folder}/`))).code).to.equal('file/unreadable');
  });

  it('refuses a name that is not shipped, naming those that are', async () => {
    const error = await refusal(loadTask('iio'));
    expect(error.code).to.equal('task/unknown');
    expect(error.message).to.match(
      /no task is called "iio"; shipped are ioi, docstring, greater-than, induction, ioi-abc, subject-verb-agreement;/,
    );
  });

  it('takes the pairs of a file, or the first of them', async () => {
    const file = await write('pairs.json', JSON.stringify(task));
    const model = { tokenizer: null, config: configFor(null) };
    expect((await resolveTask(file, model)).file.pairs).to.have.length(2);
    expect((await resolveTask(file, model, { count: 1 })).file.pairs).to.deep.equal([pair]);
  });

  it('takes of given splits what is left of the pairs', async () => {
    const splits = { discover: [1], choose: [0], report: [1, 0] };
    const file = await write('splits.json', JSON.stringify({ ...task, splits }));
    const { file: first } = await resolveTask(file, { tokenizer: null, config: configFor(null) }, { count: 1 });
    expect(first.splits).to.deep.equal({ discover: [], choose: [0], report: [0] });
  });

  it("has the file's generator make pairs for the model; count and seed can be given", async () => {
    const model = { tokenizer: null, config: configFor(null) };
    const { file } = await resolveTask('induction', model, { count: 5, seed: 3 });
    expect(file.pairs).to.have.length(5);
    expect(file.generator).to.include({ name: 'induction', seed: 3, count: 5 });
    expect(file.pairs).to.not.deep.equal((await resolveTask('induction', model, { count: 5 })).file.pairs);
  });

  it("keeps what the file says beside its generator's words", async () => {
    const own = {
      name: 'own',
      metric: 'kl-divergence',
      bos: false,
      generator: { name: 'induction', seed: 0, count: 4 },
    };
    const { file } = await resolveTask(await write('own.json', JSON.stringify(own)), {
      tokenizer: null,
      config: configFor(null),
    });
    expect(file).to.include({ name: 'own', metric: 'kl-divergence', bos: false });
    expect(file.pairs).to.have.length(4);
  });

  it('refuses a generator that it does not know, naming those that it does', async () => {
    const wrong = { name: 'x', metric: 'logit-difference', generator: { name: 'ioj', seed: 0, count: 4 } };
    const error = await refusal(
      resolveTask(await write('wrong.json', JSON.stringify(wrong)), { tokenizer: null, config: configFor(null) }),
    );
    expect(error.code).to.equal('task/unknown');
    expect(error.message).to.match(
      /\/generator\/name: unknown generator "ioj"; expected one of ioi, docstring, greater-than, induction, subject-verb-agreement$/,
    );
  });
});

describe('the shipped tasks', () => {
  it('are those in tasks/, each named as its file', async () => {
    const files = (await readdir(new URL('../../tasks/', import.meta.url)))
      .filter((name) => name.endsWith('.json'))
      .sort();
    expect((await shippedTasks()).map(({ source }) => `${source.name}.json`)).to.deep.equal(files);
  });

  it('make pairs that the linter finds no fault with, where the vocabulary allows it', async () => {
    const letters = textTokenizer({ words: [] });
    const { file, path: where } = await resolveTask('induction', { tokenizer: letters, config: configFor(letters) });
    const { task: checked, findings } = checkTask(file, {
      path: where,
      tokenizer: letters,
      config: configFor(letters),
      split: true,
      seed: 0,
    });
    expect(findings).to.deep.equal([]);
    expect(checked?.splits.discover).to.have.length(32);
  });
});
