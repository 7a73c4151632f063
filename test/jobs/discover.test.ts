/** The main job on the bundled models: what a user gets, whole. */
import { stripVTControlCharacters } from 'node:util';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { countIn } from '../../src/circuit/prune.js';
import { describeFindings } from '../../src/cli/views/findings.js';
import { bundledModels } from '../../src/model/load.js';
import { recordProblem } from '../../src/report/check.js';
import { decodeNpy } from '../../src/report/formats/npy.js';
import { readExchange } from '../../src/report/formats/exchange.js';
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

  it('elimination ends at a smaller circuit that keeps the target, and that is the circuit drawn, listed and exchanged', async () => {
    const out = path.join(folder, 'minimal');
    const { record } = await discover({ ...INDUCTION, edges: 60, minimal: 0.2, out, plain: true });
    const { minimal, circuit, evaluation } = record;
    expect(minimal?.met).equal(true);
    expect(minimal?.distance).most(0.2);
    expect(minimal?.edgeCount).lessThan(minimal?.from.edgeCount ?? 0);
    expect(Math.abs(1 - (minimal?.faithfulness ?? 9))).lessThan(0.5);
    expect(circuit.edges.map(({ name }) => name)).deep.equal(minimal?.edges);
    expect(evaluation.faithfulness).closeTo(minimal?.faithfulness ?? 9, 1e-6);
    expect(evaluation.random.edgeCount).equal(circuit.edgeCount);
    const drawn = (await readFile(path.join(out, 'circuit.svg'), 'utf8')).match(/class="edge /g);
    expect(drawn).length(circuit.edgeCount);
    const { edges } = readExchange(await readFile(path.join(out, 'circuit.json'), 'utf8'), { file: 'circuit.json' });
    expect(countIn(edges)).equal(circuit.edgeCount);
    const page = await readFile(path.join(out, 'report.md'), 'utf8');
    expect(page)
      .contain('## Minimal circuit')
      .and.match(/reached \| yes: /);
  });

  it('elimination of a circuit that never met the target says so, everywhere, and leaves the circuit as it was', async () => {
    const out = path.join(folder, 'not-minimal');
    const asked = { ...INDUCTION, edges: 6, out };
    const { record } = await discover({ ...asked, minimal: 0.01 });
    expect(record.minimal).include({ met: false, evaluations: 1 });
    expect(record.minimal?.distance).greaterThan(0.01);
    expect(record.circuit).deep.equal((await discover({ ...asked, out: undefined })).record.circuit);
    const page = await readFile(path.join(out, 'report.html'), 'utf8');
    expect(page).contain('the target was not reached').and.contain('elimination did not reach its target');
    expect(stripVTControlCharacters(describeFindings(record, []))).match(/not minimal +the target was not reached/);
  });

  it('says how well the model does the task: what it gets right, and where the answer stands among all tokens', async () => {
    const { record } = await discover(INDUCTION);
    const { accuracy, rank, faults } = record.capability;
    expect(accuracy?.count).equal(32);
    expect(accuracy?.mean).greaterThan(0.9);
    expect(rank?.median).equal(1);
    expect(faults).deep.equal([]);
    expect(stripVTControlCharacters(describeFindings(record, []))).match(
      /right in 1?\d\d % of pairs, the answer's rank 1 \(median\)/,
    );
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
