import { Ajv } from 'ajv';
import { expect } from 'chai';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { recordProblem } from '../../src/report/check.js';
import { decodeNpy } from '../../src/report/formats/npy.js';
import { scrubbingMarkdown, scrubbingPage } from '../../src/report/pages/scrubbing.js';
import { drawHypothesis } from '../../src/report/charts/scrubbing.js';
import { SCRUBBING_SCHEMA, type ScrubbingRecord } from '../../src/report/records/scrubbing.js';
import { sha256 } from '../../src/report/sidecar.js';
import { scrub } from '../../src/jobs/interventions/scrub.js';
import { runCli } from '../helpers/cli.js';
import { golden, inTemporaryFolder, refused, writeFiles } from '../helpers/model-files.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const MODEL = golden('architectures', 'gpt2');
const TASK = {
  ...{ name: 'mine', metric: 'logit-difference', bos: false },
  pairs: [
    { clean: [1, 2, 3, 4], corrupt: [1, 9, 3, 4], correct: 5, incorrect: 6, spans: { S: [1, 2] } },
    { clean: [7, 2, 3, 4], corrupt: [7, 8, 3, 4], correct: 6, incorrect: 5, spans: { S: [1, 2] } },
    { clean: [7, 8, 3, 4], corrupt: [7, 2, 3, 4], correct: 6, incorrect: 5, spans: { S: [1, 2] } },
    { clean: [7, 2, 3, 4, 8], corrupt: [7, 8, 3, 4, 8], correct: 6, incorrect: 5, spans: { S: [1, 2] } },
  ],
};
const HYPOTHESIS = {
  name: '<one> & only',
  title: 'A head reads what an MLP says at S.',
  nodes: {
    out: { at: 'logits', reads: ['head'] },
    head: { at: 'a1.h0', feature: [{ tokens: 'S' }], reads: { v: ['mlp'] }, claim: 'reads | S' },
    mlp: { at: 'm0@S' },
  },
};

const withFiles = <T>(work: (files: { task: string; hypothesis: string; out: string }) => Promise<T>): Promise<T> =>
  inTemporaryFolder((folder) => {
    writeFiles(folder, { 'task.json': TASK, 'mine.json': HYPOTHESIS });
    return work({ task: join(folder, 'task.json'), hypothesis: join(folder, 'mine.json'), out: join(folder, 'out') });
  });

describe('scrubbing a task causally', () => {
  it('records the whole, every claim alone, what was left out and what it cost, as its schema says', () =>
    withFiles(async ({ task, hypothesis }) => {
      const { record, sidecars } = await scrub({ task, hypothesis, model: MODEL, runtime: 'reference', draws: 5 });
      expect(new Ajv().validate(SCRUBBING_SCHEMA, record)).to.equal(true);
      expect(record.task).to.include({ pairs: 4, leftOut: 1 });
      expect(record.pools).to.deep.equal([{ length: 4, prompts: 3 }]);
      expect(record.claims.map(({ node, kind, tested }) => [node, kind, tested])).to.deep.equal([
        ['out', 'inputs', 3],
        ['head', 'feature', 2],
        ['head', 'inputs', 3],
      ]);
      const [scrubbed, claims, prompts] = sidecars.map(({ data }) => data as Float64Array);
      expect([scrubbed!.length, claims!.length, [...prompts!.slice(0, 3)]]).to.deep.equal([15, 9, [0, 1, 2]]);
      const mean = (values: Float64Array): number => values.reduce((sum, x) => sum + x, 0) / values.length;
      const [clean, random] = [mean(prompts!.slice(3, 6)), mean(prompts!.slice(6))];
      expect(record.recovered!.value).to.be.closeTo((mean(scrubbed!) - random) / (clean - random), 1e-9);
      const ofClaim = (mean(claims!.slice(3, 6)) - random) / (clean - random);
      expect(record.claims[1]!.recovered!.value).to.be.closeTo(ofClaim, 1e-9);
      expect(record.cost).to.deep.include({ heads: 1, mlps: 0 });
    }));

  it('writes a page with the hypothesis drawn, Markdown, the picture, values and the record, and prints the claims', () =>
    withFiles(async ({ task, hypothesis, out }) => {
      const words = [
        'scrub',
        '--task',
        task,
        '--model',
        MODEL,
        '--hypothesis',
        hypothesis,
        '--draws',
        '2',
        '--out',
        out,
      ];
      const { code, stdout, stderr } = await runCli(words);
      expect(code, stderr).to.equal(0);
      expect(stdout)
        .to.match(/3 of 4 prompts/)
        .and.to.contain('depends on tokens at S alone');
      expect(readdirSync(out).sort()).to.deep.equal(
        ['SHA256SUMS', 'claims.npy', 'hypothesis.svg', 'prompts.npy', 'scrubbed.npy', 'scrubbing.html', 'scrubbing.json', 'scrubbing.md'], // prettier-ignore
      );
      const record = JSON.parse(readFileSync(join(out, 'scrubbing.json'), 'utf8')) as ScrubbingRecord;
      expect(readFileSync(join(out, 'scrubbing.html'), 'utf8')).to.equal(scrubbingPage(record));
      expect(readFileSync(join(out, 'scrubbing.md'), 'utf8')).to.equal(scrubbingMarkdown(record));
      expect(decodeNpy(readFileSync(join(out, 'scrubbed.npy')), 'scrubbed.npy').shape).to.deep.equal([2, 3]);
      const page = scrubbingPage(record);
      expect(page).to.contain('&lt;one&gt; &amp; only').and.not.to.contain('<one>');
      for (const { name, at } of record.hypothesis.nodes) expect(page).to.contain(name).and.to.contain(at);
      expect(scrubbingMarkdown(record)).to.contain('| head | a1.h0 | depends on tokens at S alone |');
    }));

  it('gives the same record for the same seed, and shows the same metric where inputs are drawn apart', () =>
    withFiles(async ({ task, hypothesis }) => {
      const asked = { task, hypothesis, model: MODEL, runtime: 'reference', draws: 3 };
      const [a, b, c] = [await scrub(asked), await scrub(asked), await scrub({ ...asked, unimportant: 'separate' })];
      const untimed = ({ record }: typeof a) => ({ ...record, timings: null });
      expect(untimed(a)).to.deep.equal(untimed(b));
      expect(c.record.clean).to.deep.equal(a.record.clean);
      expect(c.record.scrubbed.mean).not.to.equal(a.record.scrubbed.mean);
    }));

  it('refuses a hypothesis that is not there, or is none', () =>
    withFiles(async ({ task, hypothesis }) => {
      const ask = (name: string) => scrub({ task, model: MODEL, hypothesis: name });
      await refused(ask('nonsense'), 'interventions/hypothesis', 'shipped are', 'induction');
      await refused(ask(`${hypothesis}.not`), 'file/missing', 'mine.json.not');
      await refused(ask(task), 'interventions/hypothesis', 'task.json');
    }));
});

const percent = (share: number): string => `${Math.round(100 * share)} %`.replace('-', '−');

describe('the shipped hypotheses', () => {
  const shipped = (name: string): string => readFileSync(`${ROOT}circuits/hypotheses/${name}.json`, 'utf8');
  const induction = { task: 'induction', model: `${ROOT}models/induction`, examples: 64, draws: 1 };
  const shares = ({ claims }: ScrubbingRecord): Map<string, number> =>
    new Map(claims.map(({ node, recovered }) => [node, recovered!.value]));

  it('induction: the textbook explains nothing of the bundled model; it is queries and values that it gets wrong', async () => {
    const { record } = await scrub({ ...induction, hypothesis: 'induction' });
    expect(record.recovered!.high).to.be.lessThan(0.05);
    const claims = shares(record);
    for (const name of ['query', 'value']) expect(claims.get(name), name).to.be.lessThan(0.2);
    for (const name of ['key', 'previous-token head 1', 'previous-token head 2'])
      expect(claims.get(name), name).to.be.greaterThan(0.85);
  });

  it('induction-mixed: with tokens as layer 0 knows them it explains most of it, and no claim fails', async () => {
    const { record } = await scrub({ ...induction, hypothesis: 'induction-mixed' });
    expect(record.recovered!.low).to.be.greaterThan(0.65);
    for (const [name, share] of shares(record)) expect(share, name).to.be.greaterThan(0.8);
  });

  it('induction-by-tokens: queries and keys depend on one token each, values on more', () =>
    inTemporaryFolder(async (folder) => {
      const options = { length: 12, vocabulary: [0, 16] };
      const generator = { name: 'induction', seed: 0, count: 128, options };
      writeFiles(folder, { 'few.json': { name: 'few', metric: 'logit-difference', generator } });
      const asked = { ...induction, examples: undefined, task: join(folder, 'few.json') };
      const { record } = await scrub({ ...asked, hypothesis: 'induction-by-tokens' });
      const claims = shares(record);
      for (const name of ['query', 'key']) expect(claims.get(name), name).to.be.greaterThan(0.9);
      expect(claims.get('value')).to.be.within(0.3, 0.75);
    }));

  it('ioi-names, as the docs have it: the first layer needs nothing but the three names', async () => {
    expect(readFileSync(`${ROOT}docs/interventions.md`, 'utf8')).to.contain(
      `\`\`\`json\n${shipped('ioi-names')}\`\`\``,
    );
    const asked = { task: 'ioi', model: `${ROOT}models/ioi`, examples: 200, draws: 1 };
    const { record } = await scrub({ ...asked, hypothesis: 'ioi-names' });
    expect(record.recovered!.value).to.be.within(0.9, 1.1);
  });

  it('are asked about by commands of the docs that the command line knows', async () => {
    const page = readFileSync(`${ROOT}docs/interventions.md`, 'utf8');
    const commands = [...page.matchAll(/^ {4}thevenin (scrub .*)$/gm)].map(([, words]) => words!);
    expect(commands).to.have.lengthOf(3);
    const words = commands[0]!.replace(/ --out \S+/, '').split(' ');
    const { code, stdout, stderr } = await runCli([...words, '--examples', '32', '--draws', '1']);
    expect(code, stderr).to.equal(0);
    expect(stdout).to.contain('recovered');
    for (const command of commands) expect(shipped(/--hypothesis (\S+)/.exec(command)![1]!)).to.contain('"nodes"');
  });

  it('have reports whose pages are those of their records, with the figures that the docs quote', () => {
    const page = readFileSync(`${ROOT}docs/interventions.md`, 'utf8').replaceAll(/\s+/g, ' ');
    const quoted: Readonly<Record<string, (record: ScrubbingRecord) => readonly string[]>> = {
      induction: (record) => [`(${percent(record.recovered!.value)})`, `(${percent(shares(record).get('key')!)} left`],
      'induction-mixed': (record) => [`account explains ${percent(record.recovered!.value)}`],
      'induction-by-tokens': (record) => [`(${percent(shares(record).get('query')!)})`, `(${percent(shares(record).get('value')!)})`], // prettier-ignore
    };
    for (const [name, figures] of Object.entries(quoted)) {
      const read = (file: string): string => readFileSync(`${ROOT}reports/scrubbing-induction/${name}/${file}`, 'utf8');
      const record = JSON.parse(read('scrubbing.json')) as ScrubbingRecord;
      expect(recordProblem(record, SCRUBBING_SCHEMA), name).to.equal(null);
      expect(record.hypothesis.sha256).to.equal(sha256(Buffer.from(shipped(name))));
      expect(read('scrubbing.md')).to.equal(scrubbingMarkdown(record));
      expect(read('hypothesis.svg')).to.equal(`${drawHypothesis(record)}\n`);
      for (const figure of figures(record)) expect(page).to.contain(figure);
    }
  });
});
