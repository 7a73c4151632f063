/** A run is asked again from its own record, and held to it. */
import { expect } from 'chai';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { patch } from '../../src/jobs/interventions/patch.js';
import { compareRuns } from '../../src/jobs/records/differences.js';
import { rerun } from '../../src/jobs/records/rerun.js';
import { RUN_FOLDERS } from '../../src/report/folders/index.js';
import { runCli } from '../helpers/cli.js';
import { golden, refused } from '../helpers/model-files.js';
import { SMALL_RUNS, withSmallRun } from '../helpers/small-runs.js';

type Fields = Record<string, unknown>;

const recordFile = (run: string): string =>
  join(run, RUN_FOLDERS.find(({ file }) => readdirSync(run).includes(file))!.file);
const readRecord = (run: string): Fields => JSON.parse(readFileSync(recordFile(run), 'utf8')) as Fields;
const change = (run: string, edit: (record: Fields) => Fields): void =>
  writeFileSync(recordFile(run), JSON.stringify(edit(readRecord(run))));

describe('a run asked again', () => {
  for (const key of Object.keys(SMALL_RUNS))
    it(`${key}: gives what its record says, and the same files but for times`, () =>
      withSmallRun(key, async (run) => {
        const out = join(run, '..', 'again');
        const { kind, differences, compared, written } = await rerun(run, { out });
        expect(kind).to.equal(key);
        expect(differences).to.deep.equal([]);
        expect(compared).to.be.above(20);
        expect(readdirSync(out).sort()).to.deep.equal(readdirSync(run).sort());
        expect(written[0]).to.match(/\.html$|hops\.json$/);
        const [first, second] = [readRecord(run), readRecord(out)];
        expect({ ...second, timings: null, cost: null }).to.deep.equal({ ...first, timings: null, cost: null });
        for (const file of readdirSync(run).filter((name) => name.endsWith('.npy')))
          expect(readFileSync(join(out, file)).equals(readFileSync(join(run, file))), file).to.equal(true);
      }));

  it('says what was asked in full, but for where it was written', () =>
    withSmallRun('patching', (run) => {
      const { request } = readRecord(run) as { request: Fields };
      expect(request).to.include({
        grid: 'every',
        numbers: true,
        runtime: 'reference',
        seed: 0,
        mlps: 'kept',
        window: 1,
      });
      expect(request['task']).to.match(/task\.json$/);
      expect(request).not.to.have.any.keys('out', 'direction', 'by', 'path');
      return Promise.resolve();
    }));

  it('names the task that is another one now, and every figure that moved with it', () =>
    withSmallRun('patching', async (run) => {
      const task = join(run, '..', 'task.json');
      writeFileSync(task, readFileSync(task, 'utf8').replace('[1,9,3,4]', '[1,8,3,4]'));
      const { differences } = await rerun(run);
      const at = differences.map((one) => one.at);
      expect(at).to.include.members(['task.sha256', 'corrupt', 'grids.*.mean.*', 'z.npy']);
      expect(at).not.to.include.members(['model.weightsSha256']);
      expect(at).not.to.include('clean');
    }));

  it('names the model that is another one now, where it is asked of one', () =>
    withSmallRun('tokens', async (run) => {
      const { differences } = await rerun(run, { model: golden('architectures', 'gpt_neox') });
      expect(differences.map((one) => one.at)).to.include.members(['model.name', 'model.weightsSha256', 'clean.mean']);
    }));

  it('finds a figure that somebody changed, unless it is within the tolerance', () =>
    withSmallRun('patching', async (run) => {
      const { clean } = readRecord(run) as { clean: number };
      change(run, (record) => ({ ...record, clean: clean * 1.01 }));
      const { differences, tolerance } = await rerun(run);
      expect(differences).to.deep.equal([{ at: 'clean', count: 1, of: 1, was: clean * 1.01, is: clean }]);
      expect(tolerance).to.equal(1e-4);
      expect((await rerun(run, { tolerance: 0.02 })).differences).to.deep.equal([]);
    }));

  it('takes another version for a difference', () =>
    withSmallRun('hops', async (run) => {
      change(run, (record) => ({ ...record, versions: { ...(record['versions'] as object), thevenin: '0.0.1' } }));
      const { differences } = await rerun(run);
      expect(differences.map(({ at, was }) => [at, was])).to.deep.equal([['versions.thevenin', '0.0.1']]);
    }));

  it('is refused where the record does not say what was asked, or asks what there is not, or would be overwritten', () =>
    withSmallRun('patching', async (run) => {
      await refused(rerun(run, { out: `${run}/` }), 'cli/usage', 'the folder of the run itself');
      const { request } = readRecord(run) as { request: Fields };
      change(run, (record) => ({ ...record, request: { ...request, colour: 'red' } }));
      await refused(rerun(run), 'cli/usage', 'there is no option colour');
      change(run, (record) => ({ ...record, request: { ...request, task: undefined } }));
      await refused(rerun(run), 'cli/usage', 'task must be given');
      change(run, (record) => ({ ...record, request: undefined }));
      await refused(rerun(run), 'report/request', 'does not hold what was asked');
    }));
});

describe('how runs differ', () => {
  const compare = (was: object, is: object, tolerance = 0.1) =>
    compareRuns({ record: was, sidecars: [] }, { record: is, sidecars: [] }, tolerance).differences;

  it('measures numbers of one kind by the largest of them', () => {
    const scores = (...values: number[]): object => ({ edges: values.map((score) => ({ score })) });
    expect(compare(scores(10, 0.1), scores(10.9, 0.9))).to.deep.equal([]);
    expect(compare(scores(10, 0.1), scores(8, -2))).to.deep.equal([
      { at: 'edges.*.score', count: 2, of: 2, was: 0.1, is: -2 },
    ]);
    expect(compare({ alone: 0.1 }, { alone: 0.12 })).to.deep.equal([
      { at: 'alone', count: 1, of: 1, was: 0.1, is: 0.12 },
    ]);
  });

  it('compares texts, what is there and what is not as they are', () => {
    expect(compare({ name: 'a', none: null }, { name: 'b', more: [1] })).to.deep.equal([
      { at: 'name', count: 1, of: 1, was: 'a', is: 'b' },
      { at: 'none', count: 1, of: 1, was: null, is: undefined },
      { at: 'more', count: 1, of: 1, was: undefined, is: '1 entries' },
    ]);
    expect(compare({ list: [1, 2] }, { list: [1] })).to.deep.equal([
      { at: 'list', count: 1, of: 1, was: '2 entries', is: '1 entries' },
    ]);
  });

  it('takes NaN for itself and for nothing else, in data files', () => {
    const saved = (...values: number[]) => ({
      record: {},
      sidecars: [{ file: 'x.npy', data: Float64Array.from(values), shape: [values.length], axes: ['pair'], what: '' }],
    });
    expect(compareRuns(saved(1, NaN), saved(1, NaN), 0.1).differences).to.deep.equal([]);
    expect(compareRuns(saved(1, NaN), saved(1, 2), 0.1).differences).to.deep.equal([
      { at: 'x.npy', count: 1, of: 2, was: NaN, is: 2 },
    ]);
    const [shorter] = compareRuns(saved(1, 2), saved(1), 0.1).differences;
    expect(shorter).to.include({ at: 'x.npy', was: '2 values', is: '1 values' });
  });
});

describe('thevenin rerun', () => {
  it('exits with 0 where nothing differs, with 1 and a table of what does', () =>
    withSmallRun('patching', async (run) => {
      const same = await runCli(['rerun', run]);
      expect(same.code, same.stderr).to.equal(0);
      expect(same.stdout).to.match(/^patching: nothing differs; [\d,]+ values compared, numbers to 0.0001 of/);
      change(run, (record) => ({ ...record, corrupt: 7 }));
      const other = await runCli(['rerun', run]);
      expect(other.code).to.equal(1);
      expect(other.stdout).to.match(/^corrupt +7 +-?\d\.\d+$/m);
      expect(other.stderr).to.contain('1 figure differs from the record [report/differs]');
    }));
});

describe('a job asked by a caller without types', () => {
  it('refuses what is missing and what there is not', async () => {
    await refused(patch({ task: 'ioi' } as never), 'cli/usage', 'model must be given');
    await refused(patch({ task: 'ioi', model: 'ioi', edges: 3 } as never), 'cli/usage', 'there is no option edges');
  });
});
