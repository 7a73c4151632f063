import { expect } from 'chai';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { decodeNpy } from '../../src/report/formats/npy.js';
import type { TracingRecord } from '../../src/report/records/tracing.js';
import { causalTrace } from '../../src/jobs/interventions/causal-trace.js';
import { describeTracing } from '../../src/cli/views/tracing.js';
import { predict } from '../../src/jobs/inspect/predict.js';
import { runCli } from '../helpers/cli.js';
import { golden, inTemporaryFolder, refused, writeFiles } from '../helpers/model-files.js';

const MODEL = golden('architectures', 'gpt2');
const RUNTIME = 'reference';
const PROMPTS = ['the big dog is in the', 'one dog is', 'a dog and a cat are at'];

/** A random model knows what it happens to say; one fact it does not. */
async function factsFor(): Promise<object[]> {
  const facts: object[] = [{ prompt: PROMPTS[0]!, subject: 'dog', attribute: 'nothing of the kind' }];
  for (const prompt of PROMPTS) {
    const { top } = await predict({
      prompt,
      model: MODEL,
      top: 1,
      bos: undefined,
      runtime: RUNTIME,
      threads: undefined,
    });
    facts.push({ prompt, subject: 'dog', attribute: top[0]!.text!.trim() });
  }
  return facts;
}

const withFacts = <T>(work: (facts: string, folder: string) => Promise<T>): Promise<T> =>
  inTemporaryFolder(async (folder) => {
    writeFiles(folder, { 'facts.json': await factsFor() });
    return work(join(folder, 'facts.json'), folder);
  });

describe('causal tracing of facts', () => {
  it('traces what the model knows, averages over kinds of tokens with intervals, writes pages, pictures and values', () =>
    withFacts(async (facts, folder) => {
      const out = join(folder, 'out');
      const { record } = await causalTrace({ facts, model: MODEL, out, samples: 3, window: 2, runtime: RUNTIME });
      expect(record.facts).to.deep.equal({ asked: 4, known: 3, withoutSubject: 0, traced: 3 });
      expect(record.noise.scale).to.be.closeTo(3 * record.noise.deviation, 1e-12);
      const keys = ['resid-post', 'attention-out', 'mlp-out'];
      expect(record.grids.map(({ grid }) => grid)).to.deep.equal(keys);
      expect(readdirSync(out).sort()).to.deep.equal(
        [
          ...keys.flatMap((key) => [`${key}.npy`, `${key}.svg`, `${key}-effects.svg`]),
          ...['tracing.html', 'tracing.json', 'SHA256SUMS'],
        ].sort(),
      );
      const page = readFileSync(join(out, 'tracing.html'), 'utf8');
      for (const key of keys) expect(page).to.contain(readFileSync(join(out, `${key}-effects.svg`), 'utf8'));
      expect(page.match(/class="band"/g)!.length).to.be.greaterThan(6);
      const { data, shape } = decodeNpy(readFileSync(join(out, 'resid-post.npy')), 'resid-post.npy');
      expect(shape).to.deep.equal([3, 6, 3]);
      const last = record.effects.find((one) => one.layer === 2 && one.tokens === 'last token')!;
      expect(last.count).to.equal(3);
      expect(last.mean).to.be.closeTo((data[51]! + data[52]! + data[53]!) / 3, 1e-12);
      expect(last.mean, 'the last state decides all').to.be.closeTo(record.clean - record.corrupt, 1e-9);
      expect(last.low! <= last.mean && last.mean <= last.high!).to.equal(true);
      expect(record.grids[0]!.recovery![2 * 6 + 5]).to.be.closeTo(1, 1e-9);
    }));

  it('asks for no more facts than it takes to know as many as are traced, and says so', () =>
    withFacts(async (facts) => {
      const { record } = await causalTrace({ facts, model: MODEL, examples: 2, samples: 2, runtime: RUNTIME });
      expect(record.facts).to.deep.equal({ asked: 4, tried: 3, known: 2, withoutSubject: 0, traced: 2 });
      expect(describeTracing(record, [])).to.match(/^2 of the first 3 of 4 facts are known/);
    }));

  it('can only count what the model knows', () =>
    withFacts(async (facts) => {
      const { record } = await causalTrace({ facts, model: MODEL, examples: 0, runtime: RUNTIME });
      expect(record.facts).to.include({ known: 3, traced: 0 });
      expect(record.grids).to.deep.equal([]);
      expect(record.undefinedBecause).to.equal('no fact was traced');
    }));

  it('refuses noise of zero, a file without facts, and facts that are not known', () =>
    inTemporaryFolder(async (folder) => {
      const facts = join(folder, 'facts.json');
      const ask = (changes: object = {}) => causalTrace({ facts, model: MODEL, runtime: RUNTIME, ...changes });
      const fact = { prompt: 'one dog is', subject: 'dog', attribute: 'nothing of the kind' };
      await refused(ask({ factor: 0 }), 'interventions/noise', 'corrupts nothing');
      await refused(ask(), 'file/missing', 'known_1000.json');
      writeFiles(folder, { 'facts.json': [fact] });
      await refused(ask(), 'interventions/noise', 'knows none of the 1 facts');
      writeFiles(folder, { 'facts.json': [{ ...fact, subject: 'cat' }] });
      await refused(ask(), 'task/import', 'row 0', '"cat" does not occur');
      writeFiles(folder, { 'facts.json': [{ prompt: 'one dog is', subject: 'dog' }] });
      await refused(ask(), 'task/import', 'lacks one of the texts');
    }));

  it('from the command line', () =>
    withFacts(async (facts, folder) => {
      const words = ['causal-trace', '--facts', facts, '--model', MODEL, '--out', join(folder, 'out')];
      const { code, stdout, stderr } = await runCli([...words, '--samples', '2', '--examples', '1', '--json']);
      expect(code, stderr).to.equal(0);
      expect(JSON.parse(stdout) as TracingRecord).to.deep.include({ kind: 'causal-tracing' });
    }));
});
