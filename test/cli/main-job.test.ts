/** The main job as a user runs it: processes, their output parsed. */
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import type { ReportRecord } from '../../src/report/records/report.js';
import { runCli } from '../helpers/cli.js';

const DISCOVER = ['discover', '--task', 'induction', '--model', 'induction', '--examples', '16', '--edges', '16'];

describe('thevenin, the main job', () => {
  let folder: string;
  before(async () => (folder = await mkdtemp(path.join(tmpdir(), 'thevenin-cli-'))));
  after(() => rm(folder, { recursive: true, force: true }));

  it('discover prints the findings and writes the report; --json prints the record itself', async () => {
    const out = path.join(folder, 'run');
    const { code, stdout, stderr } = await runCli([...DISCOVER, '--out', out, '--json']);
    expect(code, stderr).equal(0);
    const record = JSON.parse(stdout) as ReportRecord;
    expect(record).deep.equal(JSON.parse(await readFile(path.join(out, 'report.json'), 'utf8')));
    expect(record.task).include({ name: 'induction', metric: 'logit-difference', pairs: 16 });
    expect(stderr).match(/EAP-IG, 5 midpoints +8\/8 .* 7 forward \+ 5 backward passes per pair, about /);
  });

  it('predict prints ids and log-probabilities of the whole vocabulary that sum to 1', async () => {
    const words = ['predict', 'When Mary and John went to the store, John gave a drink to', '--model', 'ioi', '--json'];
    const { code, stdout, stderr } = await runCli([...words, '--top', '100000', '--bos', 'false']);
    expect(code, stderr).equal(0);
    const { ids, top } = JSON.parse(stdout) as { ids: number[]; top: { id: number; text: string; logprob: number }[] };
    expect(ids.length).greaterThan(10);
    expect(top[0]?.text).equal(' Mary');
    expect(top.reduce((sum, { logprob }) => sum + Math.exp(logprob), 0)).closeTo(1, 1e-4);
    expect(new Set(top.map(({ id }) => id)).size).equal(top.length);
  });

  it('predict warns of words that the model cannot read, and says what it reads', async () => {
    const words = ['predict', 'When Mary and Zbigniew went to the store', '--model', 'ioi', '--top', '1'];
    const { code, stdout } = await runCli(words);
    expect(code).to.equal(0);
    expect(stdout).to.match(
      /^warning {2}.*cannot write every word of the prompt; the model reads "When Mary and .*unknown/m,
    );
    expect((await runCli(['predict', 'When Mary', '--model', 'ioi', '--top', '1'])).stdout).to.not.include('warning');
  });

  it('predict takes ids as they are', async () => {
    const { code, stdout } = await runCli([
      'predict',
      '--ids',
      '3,1,4,1',
      '--model',
      'induction',
      '--json',
      '--top',
      '1',
    ]);
    expect(code).equal(0);
    expect(JSON.parse(stdout)).deep.include({ ids: [3, 1, 4, 1] });
  });

  for (const [title, words, code, message] of [
    [
      'an id outside the vocabulary',
      ['predict', '--ids', '99999', '--model', 'induction'],
      2,
      /99999 is outside the vocabulary/,
    ],
    [
      'a prompt longer than the context',
      ['predict', '--ids', Array(600).fill(1).join(','), '--model', 'induction'],
      2,
      /600 tokens; .* reads \d+ at most/,
    ],
    [
      'a method that does not exist',
      [...DISCOVER, '--out', 'x', '--method', 'magic'],
      2,
      /no discovery method "magic"; choose one of .*eap-ig/,
    ],
    ['a model that is not there', ['predict', 'a', '--model', './nowhere'], 2, /nowhere does not exist/],
  ] as const)
    it(`refuses ${title} in one line, exit code ${code}`, async () => {
      const run = await runCli(words);
      expect(run.code).equal(code);
      expect(run.stderr.trim().split('\n')).length(1);
      expect(run.stderr).match(message);
    });

  it('a task whose pairs differ in length is refused before any compute, naming file, pair and position', async () => {
    const file = path.join(folder, 'uneven.json');
    const pairs = [{ clean: [1, 2, 3], corrupt: [1, 2], correct: 4, incorrect: 5 }];
    await writeFile(file, JSON.stringify({ name: 'uneven', metric: 'logit-difference', pairs }));
    const run = await runCli([
      'discover',
      '--task',
      file,
      '--model',
      'induction',
      '--out',
      path.join(folder, 'uneven'),
    ]);
    expect(run.code).equal(2);
    expect(run.stderr).match(/uneven\.json.*pair 0.*length|uneven\.json.*pair 0.*tokens/s);
    expect(existsSync(path.join(folder, 'uneven'))).equal(false);
  });

  it('Ctrl-C ends it with 130 and one line, and leaves no half-written report', async () => {
    const out = path.join(folder, 'interrupted');
    const words = [
      'discover',
      '--task',
      'ioi',
      '--model',
      'ioi',
      '--method',
      'exact',
      '--examples',
      '96',
      '--out',
      out,
    ];
    const run = await runCli(words, { interruptAt: 'does the model do the task' });
    expect(run.code, run.stderr).equal(130);
    expect(run.stderr).match(/--journal FILE keeps what exact has measured.*\[cli\/interrupted\]/);
    expect(run.stderr).not.match(/\n\s+at /);
    expect(existsSync(out)).equal(false);
  });
});
