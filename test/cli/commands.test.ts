import { expect } from 'chai';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCli } from '../helpers/cli.js';

const GPT2 = 'test/goldens/architectures/gpt2';

/** A command's standard output as JSON. */
const ask = async (...words: string[]) => {
  const { code, stdout, stderr } = await runCli([...words, '--json']);
  expect(code, stderr).to.equal(0);
  return JSON.parse(stdout);
};

describe('thevenin models', () => {
  it('describes a model of one’s own', async () => {
    expect(await ask('models', GPT2)).to.deep.equal([
      { model: GPT2, architecture: 'gpt2', layers: 3, heads: 4, dModel: 32, vocabulary: 320, context: 64, tokenizer: true, edges: 262 },
    ]); // prettier-ignore
  });

  it('refuses what is no model in one line', async () => {
    const { code, stdout, stderr } = await runCli(['models', 'no/such/folder']);
    expect({ code, stdout }).to.deep.equal({ code: 2, stdout: '' });
    expect(stderr).to.match(/^thevenin: no\/such\/folder .* \[file\/missing\]\n$/);
  });

  it('adds the stack with --verbose, wherever it stands', async () => {
    for (const words of [
      ['--verbose', 'models', 'no/such'],
      ['models', 'no/such', '--verbose'],
    ]) {
      expect((await runCli(words)).stderr).to.match(/^thevenin: .* \[file\/missing\]\nTheveninError: .*\n\s+at /);
    }
  });
});

describe('thevenin paths', () => {
  it('goes on answering to the name that it had', async () => {
    const [now, before] = [await runCli(['paths', '--help']), await runCli(['trace', '--help'])];
    expect(now.code).to.equal(0);
    expect(before).to.deep.equal(now);
    expect(now.stdout).to.include('paths|trace');
  });
});

describe('thevenin tasks', () => {
  it('lists the shipped tasks', async () => {
    const names = (await ask('tasks')).map(({ task }: { task: string }) => task);
    expect(names).to.include.members(['ioi', 'induction', 'greater-than', 'subject-verb-agreement', 'docstring']);
  });

  it('prints a table without frames or colour when NO_COLOR is set', async () => {
    const { stdout } = await runCli(['tasks']);
    expect(stdout)
      .to.match(/^task +metric +pairs +about\n/)
      .and.match(/^ioi +logit-difference +\d+ +\S/m);
    expect(stdout).not.to.match(/[│─]|\[\d+m/);
  });
});

describe('thevenin validate', () => {
  let folder: string;
  before(() => (folder = mkdtempSync(join(tmpdir(), 'thevenin-'))));
  after(() => rmSync(folder, { recursive: true }));

  const taskFile = (task: object): string => {
    const file = join(folder, 'task.json');
    writeFileSync(file, JSON.stringify(task));
    return file;
  };
  const pair = (clean: number[]) => ({ clean, corrupt: [5, 6, 8], correct: 9, incorrect: 10 });

  it('accepts the smallest valid task', async () => {
    const pairs = [1, 2, 3, 4].map((first) => pair([first, 6, 7]));
    const file = taskFile({ name: 'mine', metric: 'logit-difference', pairs });
    const found = await ask('validate', file, '--model', GPT2);
    expect(found).to.include({ task: 'mine', file, model: GPT2, pairs: 4, valid: true });
  });

  it('names file, pair and what is wrong of a faulty one, on standard output as JSON and in the refusal', async () => {
    const file = taskFile({ name: 'mine', metric: 'logit-difference', pairs: [pair([1, 2, 3]), pair([1, 2])] });
    const { code, stdout, stderr } = await runCli(['validate', file, '--model', GPT2, '--json']);
    expect(code).to.equal(2);
    const { valid, findings } = JSON.parse(stdout);
    expect(valid).to.equal(false);
    expect(findings).to.have.lengthOf.at.least(1);
    expect(findings[0]).to.include({ severity: 'error', file, pair: 1 });
    expect(stderr).to.match(/^thevenin: .*task\.json, pair 1.* \[task\/faulty\]\n$/);
  });

  it('refuses an unknown field, a file that is no JSON, and an unknown task', async () => {
    const refusal = async (task: string) => (await runCli(['validate', task, '--model', GPT2])).stderr;
    expect(
      await refusal(taskFile({ name: 'x', metric: 'logit-difference', pairs: [pair([1, 2, 3])], colour: 1 })),
    ).to.match(/colour.* \[task\/schema\]\n$/);
    expect(await refusal('nope')).to.match(/"nope".* \[task\/unknown\]\n$/);
    writeFileSync(join(folder, 'broken.json'), '{"name": ');
    expect(await refusal(join(folder, 'broken.json'))).to.match(/broken\.json.* \[task\/json\]\n$/);
  });
});

describe('thevenin doctor', () => {
  it('says of each runtime whether it works, and of this machine how fast it is', async () => {
    const { runtimes, gemm, node } = await ask('doctor');
    expect(node).to.equal(process.version);
    const found = new Map(
      runtimes.map((runtime: { key: string; works: boolean; note: string }) => [runtime.key, runtime]),
    );
    expect(found.get('onnx')).to.include({ works: true });
    expect(found.get('reference')).to.include({ works: true });
    for (const { note } of runtimes) expect(note).to.match(/^[^\n]+$/);
    expect(gemm.gflops).to.be.greaterThan(0);
  });
});
