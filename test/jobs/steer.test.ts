import { expect } from 'chai';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { bootstrapInterval } from '../../src/evaluation/statistics/bootstrap.js';
import { recordProblem } from '../../src/report/check.js';
import { decodeNpy } from '../../src/report/formats/npy.js';
import { steeringPage } from '../../src/report/pages/steering.js';
import { STEERING_SCHEMA, type SteeringRecord } from '../../src/report/records/steering.js';
import { steer } from '../../src/jobs/interventions/steer.js';
import { runCli } from '../helpers/cli.js';
import { golden, inTemporaryFolder, refused, writeFiles } from '../helpers/model-files.js';

const MODEL = golden('architectures', 'gpt2');
const pair = (first: number, second: number, correct: number) => ({
  ...{ clean: [first, second, 3, 4], corrupt: [first, second + 8, 3, 4], correct, incorrect: correct + 1 },
  spans: { subject: [1, 2] },
});
const TASK = {
  ...{ name: 'mine', metric: 'logit-difference', bos: false },
  pairs: [1, 2, 3, 4, 5, 6, 7, 8].map((i) => pair(i, i + 1, 20 + 2 * i)),
};
const RUNTIME = 'reference';
const near = (expected: number[]) => (found: number[]) => found.every((x, i) => Math.abs(x - expected[i]!) < 1e-9);

const withTask = <T>(work: (task: string, folder: string) => Promise<T>): Promise<T> =>
  inTemporaryFolder((folder) => {
    writeFiles(folder, { 'task.json': TASK });
    return work(join(folder, 'task.json'), folder);
  });

describe('steering a task', () => {
  it('takes the vector from the task’s own prompts and steers pairs that it has not seen', () =>
    withTask(async (task) => {
      const asked = { task, model: MODEL, site: 'resid1.pre', read: 'subject', at: 'subject', runtime: RUNTIME };
      const { record } = await steer({ ...asked, samples: 0 });
      expect(recordProblem(record, STEERING_SCHEMA)).to.equal(null);
      expect(record.vector).to.include({ source: 'task', read: 'subject', rows: 1, site: 'resid1.pre' });
      expect(record.vector.plus.prompts).to.equal(4);
      expect(record.steered).to.deep.equal({ prompts: 'clean', split: 'report', at: 'subject', places: ['subject'] });
      expect(record.task.pairs).to.equal(2);
      expect(record.continuations).to.deep.equal([]);
      const whole = (await steer({ ...asked, samples: 0, split: false })).record;
      expect([whole.vector.plus.prompts, whole.task.pairs, whole.steered.split]).to.deep.equal([8, 8, 'all']);
    }));

  it('records every dose with intervals: at 0 the prompts as they are, and what changes with them pair by pair', () =>
    withTask(async (task) => {
      const coefficients = [-1, 0, 2];
      const asked = { task, model: MODEL, site: 'm1', at: 'all', coefficients, split: false, runtime: RUNTIME };
      const { record, sidecars } = await steer({ ...asked, samples: 0 });
      const [values] = sidecars;
      expect(values!.shape).to.deep.equal([1, 3, 8]);
      const [least, none, most] = record.doses as [SteeringRecord['doses'][0], SteeringRecord['doses'][0], SteeringRecord['doses'][0]]; // prettier-ignore
      expect(none.metric).to.deep.equal(record.unsteered.metric).and.deep.equal(record.clean);
      expect(none.change).to.include({ mean: 0, low: 0, high: 0 });
      expect([none.divergence.mean, none.rises, none.falls]).to.deep.equal([0, [], []]);
      for (const [i, dose] of [least, none, most].entries()) {
        const own = [...values!.data.slice(8 * i, 8 * i + 8)];
        expect(dose.metric.mean).to.be.closeTo(own.reduce((sum, x) => sum + x, 0) / 8, 1e-12);
        expect(dose.metric.count).to.equal(8);
        const mean = (places: Int32Array) => places.reduce((sum, place) => sum + own[place]! / 8, 0);
        const { low, high } = bootstrapInterval(8, mean)!;
        expect([dose.metric.low, dose.metric.high]).to.satisfy(near([low, high]));
        expect(dose.change.mean).to.be.closeTo(dose.metric.mean - none.metric.mean, 1e-12);
        expect(dose.metric.mean).to.be.within(dose.metric.low!, dose.metric.high!);
      }
      expect(most.divergence.mean).to.be.greaterThan(0);
      expect(most.rises).to.have.lengthOf(10);
      for (const { before, after } of most.rises) expect(after).to.be.greaterThan(before);
      for (const { before, after } of most.falls) expect(after).to.be.below(before);
      const gap = most.correct!.mean - most.incorrect!.mean; // single tokens: a difference of logits
      expect(gap).to.be.closeTo(most.metric.mean, 1e-9);
    }));

  it('adds a pair of prompts row by row from the front, the shorter one filled up on the right', () =>
    withTask(async (task) => {
      const asked = { task, model: MODEL, site: 'resid1.pre', runtime: RUNTIME, samples: 0, coefficients: [3] };
      const { record, sidecars } = await steer({ ...asked, plus: [1, 2, 3], minus: [1, 9], pad: 3 });
      expect(record.vector).to.include({ source: 'prompt-pair', rows: 3, read: 'each' });
      expect(record.steered).to.include({ at: 'front', split: 'all' });
      expect(record.task.pairs).to.equal(8);
      const { data, shape } = sidecars[1]!;
      expect(shape).to.deep.equal([3, 32]);
      expect([...data.slice(0, 32)], 'both begin alike').to.deep.equal(Array(32).fill(0));
      const spaces = await steer({ ...asked, plus: 'dog', minus: 'a' });
      expect(spaces.record.vector.minus.first[0]).to.match(/^a +$/);
      expect(spaces.record.vector.plus.first).to.deep.equal(['dog']);
      const text = await steer({ ...asked, plus: 'the dog', minus: 'a', read: 'end' });
      expect(text.record.vector).to.include({ rows: 1, read: 'end' });
      expect(text.record.vector.plus.first).to.deep.equal(['the dog']);
    }));

  it('takes the difference of means of two files of prompts', () =>
    withTask(async (task, folder) => {
      writeFiles(folder, { 'plus.txt': 'the dog\n\nthe big dog\r\n', 'minus.json': [[1, 2], 'a cat'] });
      const [plusSet, minusSet] = [join(folder, 'plus.txt'), join(folder, 'minus.json')];
      const { record } = await steer({
        task,
        model: MODEL,
        site: 'a1.h2',
        plusSet,
        minusSet,
        samples: 0,
        runtime: RUNTIME,
      });
      expect(record.vector).to.deep.include({
        ...{ source: 'prompt-sets', read: 'end', rows: 1, site: 'a1.h2' },
        plus: { prompts: 2, first: ['the dog', 'the big dog'] },
      });
      expect(record.steered.at).to.equal('after');
      const direct = { plusSet: ['the dog', 'the big dog'], minusSet: [[1, 2], 'a cat'] };
      const again = await steer({ task, model: MODEL, site: 'a1.h2', ...direct, samples: 0, runtime: RUNTIME });
      expect(again.record.doses).to.deep.equal(record.doses);
    }));

  it('writes on with the least and the greatest coefficient beside the unsteered model, by seed', () =>
    withTask(async (task) => {
      const asked = { task, model: MODEL, site: 'resid2.pre', runtime: RUNTIME, tokens: 4, samples: 2, prompts: 2 };
      const { record } = await steer(asked);
      expect(record.sampling).to.deep.equal({ tokens: 4, temperature: 1, topK: null, topP: null, samples: 2, seed: 0 });
      expect(record.continuations).to.have.lengthOf(4);
      for (const { written } of record.continuations) {
        expect(written.map(({ coefficient }) => coefficient)).to.deep.equal([0, -2, 2]);
        for (const { ids, text } of written) expect([ids.length, typeof text]).to.deep.equal([4, 'string']);
        expect(written[0]!.divergence).to.equal(0);
      }
      expect(record.divergences.map(({ coefficient }) => coefficient)).to.deep.equal([-2, 2]);
      expect(record.divergences[0]!.divergence.count).to.equal(4);
      expect((await steer(asked)).record.continuations).to.deep.equal(record.continuations);
      const own = await steer({ ...asked, prompt: 'one dog is', continueAt: [1], topK: 1, samples: 1 });
      expect(own.record.continuations).to.have.lengthOf(1);
      expect(own.record.continuations[0]).to.include({ pair: null, prompt: 'one dog is' });
    }));

  it('writes a page, pictures, the vector, the values and the record, nothing of it where the request is at fault', () =>
    withTask(async (task, folder) => {
      const out = join(folder, 'out');
      const asked = { task, model: MODEL, site: 'resid1.post', out, runtime: RUNTIME };
      await refused(steer({ ...asked, site: 'resid9.pre' }), 'interventions/steering', '0 … 2');
      await refused(steer({ ...asked, plus: 'the dog' }), 'interventions/steering', 'two sides');
      await refused(steer({ ...asked, plus: 'dog', minus: 'cat', plusSet: [], minusSet: [] }), 'interventions/steering', 'two sides'); // prettier-ignore
      await refused(
        steer({ ...asked, plusSet: [], minusSet: ['a'] }),
        'interventions/steering',
        'plus set has no prompts',
      );
      await refused(steer({ ...asked, plusSet: 'none.txt', minusSet: ['a'] }), 'file/missing', 'a prompt on each line');
      await refused(steer({ ...asked, plus: '', minus: 'a' }), 'cli/usage', 'empty');
      await refused(steer({ ...asked, plus: [1, 999], minus: [1, 2] }), 'tokenizer/id', '999');
      await refused(
        steer({ ...asked, plus: [1, 2, 3], minus: [1], pad: 'dog dog' }),
        'interventions/steering',
        '--pad',
      );
      await refused(steer({ ...asked, read: 'verb' }), 'interventions/positions', 'span verb is absent');
      await refused(steer({ ...asked, at: '4' }), 'interventions/positions', 'no position 4');
      await refused(steer({ ...asked, plus: [1, 2, 3, 4, 5], minus: [5, 4, 3, 2, 1] }), 'interventions/steering', 'beyond the prompt'); // prettier-ignore
      await refused(steer({ ...asked, temperature: 0 }), 'interventions/sampling', 'temperature of 0');
      await refused(steer({ ...asked, tokens: 61 }), 'interventions/sampling', 'beyond the 64');
      await refused(steer({ ...asked, coefficients: [] }), 'interventions/steering', 'no coefficient');
      await refused(steer({ ...asked, at: 'each', samples: 1 }), 'interventions/steering', 'one place');
      expect(readdirSync(folder)).to.deep.equal(['task.json']);
      const { record, written } = await steer({ ...asked, tokens: 2 });
      expect(readdirSync(out).sort()).to.deep.equal(
        ['SHA256SUMS', 'dose-response.svg', 'log-probabilities.svg', 'steering.html', 'steering.json', 'steering.npy', 'vector.npy'],
      ); // prettier-ignore
      expect(written[0]).to.equal(join(out, 'steering.html'));
      expect(JSON.parse(readFileSync(join(out, 'steering.json'), 'utf8'))).to.deep.equal(record);
      const { shape } = decodeNpy(readFileSync(join(out, 'vector.npy')), 'vector.npy');
      expect(shape).to.deep.equal([1, 32]);
      expect(readFileSync(join(out, 'dose-response.svg'), 'utf8'))
        .to.contain('>logit-difference<')
        .and.contain('>corrupt<');
    }));

  it('steers one position after another, and draws them as a map', () =>
    withTask(async (task, folder) => {
      const out = join(folder, 'out');
      const coefficients = [-1, 0, 1];
      const { record } = await steer({
        task,
        model: MODEL,
        site: 'resid1.pre',
        at: 'each',
        out,
        coefficients,
        runtime: RUNTIME,
      });
      expect(record.steered.places).to.have.lengthOf(4);
      expect(record.steered.places[1]).to.equal('1 subject');
      expect(record.doses).to.have.lengthOf(12);
      expect(record.sampling).to.equal(null);
      const map = readFileSync(join(out, 'places.svg'), 'utf8');
      const { change } = record.doses.find((dose) => dose.place === '1 subject' && dose.coefficient === 1)!;
      expect(map).to.contain(`coefficient 1, position 1 subject: ${change.mean < 0 ? '−' : '+'}${Math.abs(change.mean).toPrecision(3)}`); // prettier-ignore
    }));
});

describe('the page of steering', () => {
  it('lets no text of prompts or tokens become markup, and loads nothing', () =>
    withTask(async (task) => {
      const { record } = await steer({ task, model: MODEL, site: 'resid1.pre', tokens: 2, runtime: RUNTIME });
      const evil = '<script>alert(1)</script>';
      const hurt: SteeringRecord = {
        ...record,
        task: { ...record.task, name: evil },
        vector: { ...record.vector, plus: { prompts: 1, first: [evil] } },
        doses: record.doses.map((dose) => ({ ...dose, rises: [{ id: 1, text: evil, before: -2, after: -1 }] })),
        continuations: record.continuations.map((one) => ({ ...one, prompt: evil, written: one.written.map((text) => ({ ...text, text: evil })) })), // prettier-ignore
      };
      const page = steeringPage(hurt);
      expect(page).not.to.match(/<script|src=|href=|url\(|@import/);
      expect(page).to.contain(`default-src 'none'`).and.to.contain('&lt;script&gt;alert(1)&lt;/script&gt;');
      expect(steeringPage(record)).to.equal(steeringPage(JSON.parse(JSON.stringify(record)) as SteeringRecord));
      expect(steeringPage(record)).to.contain('Dose and response').and.to.contain('unsteered');
    }));
});

describe('thevenin steer', () => {
  it('prints doses, tokens and continuations, or the record as JSON', () =>
    withTask(async (task) => {
      const words = ['steer', '--task', task, '--model', MODEL, '--site', 'resid1.pre', '--coefficients=-2,0,1.5'];
      const { code, stdout, stderr } = await runCli([...words, '--tokens', '3', '--runtime', RUNTIME]);
      expect(code, stderr).to.equal(0);
      expect(stdout).to.match(/^mine on gpt2, 2 clean prompts steered at resid1\.pre: logit-difference \S+ unsteered/);
      expect(stdout)
        .to.match(/^after +−2 +\S+ +\S+ … \S+ +[+−]/m)
        .and.match(/^after +1\.5 /m);
      expect(stdout)
        .to.match(/^unsteered +".*"$/m)
        .and.match(/^−2 +".*" +\d/m);
      const json = await runCli([...words, '--samples', '0', '--runtime', RUNTIME, '--json']);
      expect((JSON.parse(json.stdout) as SteeringRecord).coefficients).to.deep.equal([-2, 0, 1.5]);
    }));

  it('refuses what is no number or no site in one line', () =>
    withTask(async (task) => {
      const words = ['steer', '--task', task, '--model', MODEL];
      const numbers = await runCli([...words, '--site', 'm0', '--coefficients', '1,two']);
      expect([numbers.code, numbers.stderr]).to.satisfy(
        ([code, text]: [number, string]) => code === 2 && /a number/.test(text),
      );
      const site = await runCli([...words, '--site', 'm9']);
      expect(site.code).to.equal(2);
      expect(site.stderr).to.match(
        /^thevenin: the model has no m9: its layers are 0 … 2 \[interventions\/steering\]\n$/,
      );
    }));
});
