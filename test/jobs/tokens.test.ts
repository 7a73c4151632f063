import { expect } from 'chai';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { decodeNpy } from '../../src/report/formats/npy.js';
import type { TokensRecord } from '../../src/report/records/tokens.js';
import { tokensPage } from '../../src/report/pages/tokens.js';
import { tokens } from '../../src/jobs/attribution/tokens.js';
import { runCli } from '../helpers/cli.js';
import { golden, inTemporaryFolder, refused, writeFiles } from '../helpers/model-files.js';

const MODEL = golden('architectures', 'gpt2');
const TASK = {
  ...{ name: 'mine', metric: 'logit-difference', bos: false },
  pairs: [
    { clean: [1, 2, 3, 4], corrupt: [1, 9, 3, 4], correct: 5, incorrect: 6, spans: { subject: [1, 2], end: [3, 4] } },
    { clean: [7, 2, 3, 4, 8], corrupt: [7, 8, 3, 4, 8], correct: 6, incorrect: 5, spans: { subject: [1, 3] } },
  ],
};

const withTask = <T>(work: (task: string, folder: string) => Promise<T>): Promise<T> =>
  inTemporaryFolder((folder) => {
    writeFiles(folder, { 'task.json': TASK });
    return work(join(folder, 'task.json'), folder);
  });

const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);

describe('attributing a task to tokens', () => {
  it('records every token of every pair, and what spans contribute with the tokens they hold', () =>
    withTask(async (task) => {
      const { record, sidecars, written } = await tokens({ task, model: MODEL, runtime: 'reference', steps: 16 });
      const sidecar = sidecars[0]!;
      expect(written).to.deep.equal([]);
      expect(record.prompts.map(({ units }) => units.length)).to.deep.equal([4, 5]);
      const [first, second] = record.prompts.map(({ units }) => units.map(({ value }) => value));
      expect(record.rows.map(({ name, count }) => [name, count])).to.deep.equal([
        ['subject', 2],
        ['other tokens', 2],
      ]);
      expect(record.rows[0]!.mean).to.be.closeTo((first![1]! + second![1]! + second![2]!) / 2, 1e-12);
      expect(record.clean.mean - record.atBaseline.mean).to.be.closeTo(sum(record.rows.map(({ mean }) => mean)), 0.02);
      expect(record.gap).to.be.below(0.02);
      expect(sidecar.shape).to.deep.equal([2, 5]);
      expect([...sidecar.data.slice(0, 4)]).to.deep.equal(first);
      expect(sidecar.data[4], 'beyond the shorter prompt').to.be.NaN;
      expect(record.prompts[0]!.tokens.map(({ instead }) => instead)).to.deep.equal([null, ')', null, null]);
    }));

  it('writes a page, a record and the values, nothing of it where the request is at fault', () =>
    withTask(async (task, folder) => {
      const out = join(folder, 'out');
      const asked = { task, model: MODEL, runtime: 'reference', out, method: 'shap', baseline: 'zero' } as const;
      await refused(tokens({ ...asked, spans: ['end'] }), 'attribution/spans', 'end is absent from 1 of 2');
      await refused(tokens({ ...asked, method: 'lime' }), 'attribution/method', '"lime"');
      expect(readdirSync(folder)).to.deep.equal(['task.json']);
      const { record, written } = await tokens(asked);
      expect(readdirSync(out).sort()).to.deep.equal(['SHA256SUMS', 'tokens.html', 'tokens.json', 'tokens.npy']);
      expect(written[0]).to.equal(join(out, 'tokens.html'));
      expect(JSON.parse(readFileSync(join(out, 'tokens.json'), 'utf8'))).to.deep.equal(record);
      const { data, shape } = decodeNpy(readFileSync(join(out, 'tokens.npy')), 'tokens.npy');
      expect(shape).to.deep.equal([2, 2]);
      expect([...data]).to.deep.equal(record.prompts.flatMap(({ units }) => units.map(({ value }) => value)));
      expect(record.gap).to.be.below(1e-9);
    }));

  it('has no table of positions where prompts are of unequal lengths and no span is everywhere', () =>
    inTemporaryFolder(async (folder) => {
      writeFiles(folder, { 'task.json': { ...TASK, pairs: TASK.pairs.map((pair) => ({ ...pair, spans: {} })) } });
      const task = join(folder, 'task.json');
      const { record } = await tokens({ task, model: MODEL, runtime: 'reference', method: 'loo' });
      expect(record).to.deep.include({ by: 'position', rows: [], gap: null });
      const { record: one } = await tokens({ task, model: MODEL, runtime: 'reference', method: 'loo', examples: 1 });
      expect(one.rows.map(({ name, low }) => [name, low])).to.deep.equal(['0', '1', '2', '3'].map((n) => [n, null]));
    }));
});

describe('thevenin tokens', () => {
  it('prints spans and tokens with their values, or the record as JSON', () =>
    withTask(async (task) => {
      const words = ['tokens', '--task', task, '--model', MODEL, '--method', 'loo', '--runtime', 'reference'];
      const { code, stdout, stderr } = await runCli(words);
      expect(code, stderr).to.equal(0);
      expect(stdout).to.match(/^mine on gpt2, 2 pairs, leave one token out: logit-difference \S+ clean/);
      expect(stdout).to.match(/^span +mean +95 % interval +pairs\nsubject +[+−]\S+ +\S+ … \S+ +2\n/m);
      expect(stdout).to.match(/^pair 0 +text +value\n0 +"!" +0\n1 +"\\"" +[+−]/m);
      const json = JSON.parse((await runCli([...words, '--json'])).stdout) as TokensRecord;
      expect(json).to.deep.include({ kind: 'token-attribution', baseline: 'corrupt' });
    }));
});

describe('the page of tokens', () => {
  const token = (text: string | null, instead: string | null = null) => ({ id: 3, text, instead });
  const estimate = (mean: number) => ({ mean, low: mean - 1, high: mean + 1, count: 2 });
  const record: TokensRecord = {
    ...{ schemaVersion: 1, kind: 'token-attribution', baseline: 'corrupt', gap: null, by: 'span' },
    versions: { thevenin: '0.1.0', node: 'v20', runtime: 'reference' },
    model: { name: '<b>tiny</b>', weightsSha256: '0' },
    task: { name: 'names & places', sha256: '0', metric: 'logit-difference', pairs: 1 },
    method: { key: 'ig', title: 'integrated gradients', reference: 'someone' },
    settings: { steps: 5, rule: 'midpoint', samples: 0, seed: 0 },
    ...{ clean: estimate(3), atBaseline: estimate(-1) },
    rows: [
      { name: 'good', ...estimate(2) },
      { name: '"bad"', ...estimate(-1) },
    ],
    prompts: [
      {
        index: 7,
        tokens: [token('<script>alert(1)</script>', '"quoted"'), token(' a\n'), token(null)],
        units: [
          { name: 'good', positions: [0], value: 2, rest: false },
          { name: '"bad"', positions: [1], value: -1, rest: false },
          { name: 'other tokens', positions: [2], value: 0.5, rest: true },
        ],
        ...{ clean: 3, baseline: 1.5 },
      },
    ],
    perPair: { file: 'tokens.npy', sha256: '0', dtype: '<f8', shape: [1, 3], axes: ['pair', 'span'], what: 'values' },
    timings: { startedAt: '2026-01-01T00:00:00.000Z', totalSeconds: 1 },
  };
  const page = tokensPage(record);

  it('lets no text of tokens or names become markup, and loads nothing', () => {
    expect(page).to.contain('&lt;script&gt;alert(1)&lt;/script&gt;').and.to.contain('&lt;b&gt;tiny&lt;/b&gt;');
    expect(page).not.to.match(/<script|<b>tiny|src=|href=|url\(|@import/);
    expect(page).to.contain(`default-src 'none'`);
    expect(page).to.contain('replaced by &quot;\\&quot;quoted\\&quot;&quot;');
  });

  it('colours what helps blue and what hurts vermilion, and says the value of what no span names', () => {
    const [, helps, hurts] = /background:(#\w+).*background:(#\w+)/.exec(page.slice(page.indexOf('class="prompt"')))!;
    const [red, blue] = [
      (hex: string) => parseInt(hex.slice(1, 3), 16),
      (hex: string) => parseInt(hex.slice(5, 7), 16),
    ];
    expect(blue(helps!)).to.be.greaterThan(red(helps!));
    expect(red(hurts!)).to.be.greaterThan(blue(hurts!));
    expect(page).to.contain('other tokens +0.500').and.to.contain('⟨3⟩').and.to.contain(' a⏎');
  });

  it('says which pairs it left out', () => {
    const prompts = Array.from({ length: 41 }, (_, index) => ({ ...record.prompts[0]!, index }));
    const many = tokensPage({ ...record, prompts });
    expect(many).to.contain('The first 40 of 41 prompts').and.not.to.contain('pair 40:');
  });
});
