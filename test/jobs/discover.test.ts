/** The main job on the bundled models: what a user gets, whole. */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { bundledModels } from '../../src/model/load.js';
import { recordProblem } from '../../src/report/check.js';
import { decodeNpy } from '../../src/report/formats/npy.js';
import { sha256 } from '../../src/report/sidecar.js';
import type { ReportRecord } from '../../src/report/records/report.js';
import { discover } from '../../src/jobs/discover/discover.js';
import { TheveninError } from '../../src/errors.js';

const INDUCTION = { task: 'induction', model: 'induction', edges: 30, examples: 32 };

describe('discover', function () {
  let folder: string;

  before(async function () {
    const names = bundledModels().map(({ name }) => name);
    expect(names).include.members(['induction', 'ioi']);
    folder = await mkdtemp(path.join(tmpdir(), 'thevenin-discover-'));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  const withoutTimings = ({ timings: _, ...rest }: ReportRecord): unknown => rest;

  it('writes a report whose record fits its schema and whose sidecars have the digests it names', async () => {
    const out = path.join(folder, 'induction');
    const { record, written } = await discover({ ...INDUCTION, out });
    expect(recordProblem(record)).equal(null);
    expect(await readdir(out)).include.members([
      'report.json',
      'report.html',
      'report.md',
      'circuit.svg',
      'circuit.json',
      'scores.npy',
    ]);
    expect(written[0]).match(/report\.html$/);
    const stored = JSON.parse(await readFile(path.join(out, 'report.json'), 'utf8')) as ReportRecord;
    expect(stored).deep.equal(JSON.parse(JSON.stringify(record)));
    for (const { file, sha256: digest, shape } of record.sidecars) {
      const bytes = await readFile(path.join(out, file));
      expect(sha256(bytes), file).equal(digest);
      expect(decodeNpy(bytes, file).shape, file).deep.equal(shape);
    }
  });

  it('finds a small circuit that does the held-out task far better than random ones of its size', async () => {
    const { record } = await discover({ ...INDUCTION, examples: 64 });
    const { evaluation, circuit, graph, task } = record;
    expect(task.splits).include({ discover: 32, choose: 16, report: 16, whole: false });
    expect(circuit.edgeCount).most(30).least(5);
    expect(graph.edges).greaterThan(2 * circuit.edgeCount);
    expect(evaluation.faithfulness).greaterThan(0.5);
    expect(evaluation.random.faithfulness).length(20);
    expect(evaluation.random.percentile).equal(100);
  });

  it('the same seed gives the same record, timings apart', async () => {
    const [first, second] = [await discover(INDUCTION), await discover(INDUCTION)];
    expect(withoutTimings(first.record)).deep.equal(withoutTimings(second.record));
  });

  it('the approximate scores of the strongest edges stand next to their exact effects', async () => {
    const { record } = await discover({ ...INDUCTION, method: 'exact' });
    for (const { name, score, exact } of record.topEdges) expect(score, name).closeTo(exact as number, 1e-4);
  });

  it('without a split every pair is used for everything, and the report says so', async () => {
    const { record } = await discover({ ...INDUCTION, split: false });
    expect(record.task.splits).include({ discover: 32, choose: 32, report: 32, whole: true });
    expect(record.evaluation.split).equal('all');
  });

  it('elimination ends at a smaller circuit that keeps the target', async () => {
    const { record } = await discover({ ...INDUCTION, edges: 60, minimal: 0.2 });
    expect(record.minimal?.edgeCount).lessThan(record.circuit.edgeCount);
    expect(Math.abs(1 - (record.minimal?.faithfulness ?? 9))).lessThan(0.5);
  });

  it('refuses a model that does not do the task, and goes on when forced', async () => {
    // the induction task asked of the IOI model, which learned no induction on its vocabulary
    const asked = { task: 'induction', model: 'ioi', examples: 8, edges: 20 };
    const refusal = await discover(asked).then(
      () => null,
      (error: unknown) => error,
    );
    expect(refusal).instanceOf(TheveninError);
    expect((refusal as TheveninError).code).equal('discovery/incapable');
    expect((refusal as TheveninError).message).match(/clean − corrupt = -?\d/);
    const { record } = await discover({ ...asked, force: true });
    expect(record.settings.forced).equal(true);
    expect(record.capability.doesTask).equal(false);
  });

  it('stops when asked to, leaving nothing behind', async () => {
    const out = path.join(folder, 'stopped');
    const controller = new AbortController();
    const reason = new TheveninError('cli/interrupted', 'stopped');
    const running = discover(
      { ...INDUCTION, out },
      { signal: controller.signal, onProgress: ({ stage }) => stage.startsWith('EAP-IG') && controller.abort(reason) },
    );
    const outcome = await running.then(
      () => null,
      (error: unknown) => error,
    );
    expect(outcome).equal(reason);
    expect(await readdir(folder)).not.include('stopped');
  });
});
