/** Records hold what a run was asked about, pair by pair, and what came of each. */
import { expect } from 'chai';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { discover } from '../../src/jobs/discover/discover.js';
import { causalTrace } from '../../src/jobs/interventions/causal-trace.js';
import { patch } from '../../src/jobs/interventions/patch.js';
import { render } from '../../src/jobs/records/render.js';
import type { PairRecord } from '../../src/report/records/pairs.js';
import type { PatchingRecord } from '../../src/report/records/patching.js';
import type { TracingRecord } from '../../src/report/records/tracing.js';
import { golden, inTemporaryFolder, refused, writeFiles } from '../helpers/model-files.js';
import { withSmallRun } from '../helpers/small-runs.js';

const mean = (values: readonly number[]): number => values.reduce((sum, x) => sum + x, 0) / values.length;
const resultsOf = (pairs: readonly PairRecord[], name: string): number[] =>
  pairs.flatMap(({ results }) => results[name] ?? []);
const read = <Kept>(run: string, file: string): Kept => JSON.parse(readFileSync(join(run, file), 'utf8')) as Kept;

describe('the pairs of a record', () => {
  it('are prompts, answers and the metric of each, whose means are the record’s own', () =>
    withSmallRun('patching', (run) => {
      const { pairs, clean, corrupt } = read<PatchingRecord>(run, 'patching.json');
      const { shown, all } = pairs!;
      expect(all).to.equal(null);
      expect(shown.map(({ index, split }) => [index, split])).to.deep.equal([[0, null], [1, null], [2, null]]); // prettier-ignore
      expect(mean(resultsOf(shown, 'clean'))).to.be.closeTo(clean, 1e-12);
      expect(mean(resultsOf(shown, 'corrupt'))).to.be.closeTo(corrupt, 1e-12);
      const [first] = shown;
      expect([first!.correct.length, first!.incorrect.length]).to.deep.equal([1, 1]);
      expect(first!.clean).not.to.equal(first!.corrupt);
      return Promise.resolve();
    }));

  it('are ids where a model has no tokenizer, and without the BOS that was put before them', () =>
    inTemporaryFolder(async (folder) => {
      const pair = { clean: [1, 2, 3], corrupt: [1, 4, 3], correct: 5, incorrect: [6, 7] };
      writeFiles(folder, { 'task.json': { name: 'ids', metric: 'logit-difference', bos: false, pairs: [pair] } });
      for (const file of ['config.json', 'model.safetensors'])
        cpSync(join(golden('architectures', 'gpt2'), file), join(folder, file));
      const { record } = await patch({
        task: join(folder, 'task.json'),
        model: folder,
        runtime: 'reference',
        grid: 'z',
      });
      expect(record.pairs!.shown[0]).to.deep.include({
        clean: '1 2 3',
        corrupt: '1 4 3',
        correct: ['5'],
        incorrect: ['6', '7'],
      });
      const said = { clean: 'a b', corrupt: 'a c', correct: 5, incorrect: 6 };
      writeFiles(folder, { 'said.json': { name: 'said', metric: 'logit-difference', bos: true, pairs: [said] } });
      const model = golden('architectures', 'gpt2');
      const { record: texts } = await patch({
        task: join(folder, 'said.json'),
        model,
        runtime: 'reference',
        grid: 'z',
      });
      expect(texts.pairs!.shown[0]).to.include({ clean: said.clean, corrupt: said.corrupt });
    }));

  it('are a sample of every split where they are many; all are in a file, with the circuit’s metric where it was evaluated', () =>
    inTemporaryFolder(async (folder) => {
      const out = join(folder, 'run');
      const { record, lists } = await discover({ task: 'ioi', model: 'ioi', method: 'eap', edges: 40, examples: 48, exactEdges: 0, randomCircuits: 0, out }); // prettier-ignore
      const { shown, all } = record.pairs!;
      const every = read<PairRecord[]>(out, 'pairs.json');
      expect(JSON.parse(lists[0]!.content)).to.deep.equal(every);
      expect([all!.count, every.length]).to.deep.equal([48, 48]);
      const sizes = (pairs: readonly PairRecord[]) =>
        ['discover', 'choose', 'report'].map((name) => pairs.filter(({ split }) => split === name).length);
      expect(sizes(every)).to.deep.equal([24, 12, 12]);
      expect(sizes(shown)).to.deep.equal([14, 12, 12]);
      for (const one of shown) expect(every).to.deep.include(one);
      expect(resultsOf(every, 'circuit')).to.have.lengthOf(12);
      const circuit = every
        .filter(({ split }) => split === 'report')
        .map(({ results }) => results['circuit'] as number);
      expect(mean(circuit)).to.be.closeTo(record.evaluation.circuit.mean, 1e-12);
      expect(mean(resultsOf(every, 'clean'))).to.be.closeTo(record.capability.clean.mean, 1e-12);
      const page = readFileSync(join(out, 'report.html'), 'utf8');
      expect(page).to.contain(`<code>${shown[0]!.clean}</code>`).and.to.contain('38 of 48; all are in pairs.json.');
      expect(readFileSync(join(out, 'report.md'), 'utf8')).to.contain('## Pairs');
      expect((await render(out)).files.every(({ asBefore }) => asBefore)).to.equal(true);
      writeFileSync(join(out, 'pairs.json'), '[]');
      await refused(render(out), 'report/record', 'pairs.json is not the file that the record names');
    }));

  it('are the facts that were traced, by their place in the file', () =>
    withSmallRun('tracing', async (run) => {
      const facts = read<object[]>(join(run, '..'), 'facts.json');
      const unknown = { prompt: 'one dog is', subject: 'dog', attribute: 'nothing that it says' };
      writeFiles(join(run, '..'), { 'more.json': [unknown, ...facts] });
      const model = golden('architectures', 'gpt2');
      const { record } = await causalTrace({ facts: join(run, '..', 'more.json'), model, runtime: 'reference', samples: 2, window: 2 }); // prettier-ignore
      const [fact, ...others] = record.pairs!.shown;
      expect(others).to.deep.equal([]);
      expect(fact).to.include({ index: 1, clean: 'one dog is', corrupt: null });
      const { clean, corrupt } = record;
      expect(fact!.results).to.deep.equal({ clean, noised: corrupt });
      expect(read<TracingRecord>(run, 'tracing.json').pairs!.shown[0]!.index).to.equal(0);
    }));
});
