/** `thevenin evaluate` and `thevenin compare`: circuits from runs, from files and from the literature, judged and held against each other. */
import { copyFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { TheveninError } from '../../src/errors.js';
import { compare } from '../../src/jobs/circuits/compare.js';
import { evaluate } from '../../src/jobs/circuits/evaluate.js';
import { discover } from '../../src/jobs/discover/discover.js';
import type { ReportRecord } from '../../src/report/records/report.js';
import { runCli } from '../helpers/cli.js';

const ASKED = { task: 'induction', model: 'induction', examples: 32, seed: 3 };
const refusal = (work: Promise<unknown>): Promise<unknown> => work.catch((error: unknown) => error);

describe('circuits', () => {
  let folder: string;
  let run: string;
  let report: ReportRecord;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'thevenin-circuits-'));
    run = join(folder, 'run');
    report = (await discover({ ...ASKED, edges: 30, out: run })).record;
    copyFileSync(join(run, 'circuit.json'), join(folder, 'mine.json'));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  it("a run's circuit is judged on the pairs that the run held out, and comes out as its report says", async () => {
    const out = join(folder, 'evaluated');
    const { record, written } = await evaluate({ circuit: run, task: 'induction', model: 'induction', out });
    expect(record.task.splits).to.deep.equal({ report: 8, whole: false, seed: 3 });
    expect(record.circuit.edges).to.deep.equal(report.circuit.edges.map(({ name }) => name));
    expect(record.evaluation).to.deep.equal(report.evaluation);
    expect(record.capability).to.deep.equal(report.capability);
    expect(written[0]).to.match(/evaluation\.html$/);
  });

  it('a file in the exchange format is judged likewise, and says what the edges outside it read', async () => {
    const { record } = await evaluate({ ...ASKED, circuit: join(folder, 'mine.json'), source: 'zero' });
    expect(record.settings.ablation).to.equal('zero');
    expect(record.circuit).to.include({ name: 'mine.json', kind: 'a file in the exchange format' });
    expect(record.evaluation.clean).to.deep.equal(report.evaluation.clean);
    expect(record.evaluation.corrupt.mean).not.to.be.closeTo(report.evaluation.corrupt.mean, 1e-3);
  });

  it('a circuit of another graph is refused, with both shapes', async () => {
    const error = await refusal(evaluate({ ...ASKED, circuit: 'ioi-gpt2-small' }));
    expect(error).to.be.instanceOf(TheveninError).with.property('code', 'circuit/architecture');
    expect((error as Error).message).to.match(/12 layers of 12 heads and an MLP, and \d+ layers/);
    expect(await refusal(compare(run, 'tracr-reverse'))).to.have.property('code', 'circuit/architecture');
  });

  it('what is no circuit is refused', async () => {
    expect(await refusal(compare(join(folder, 'nothing.json'), run))).to.have.property('code', 'file/missing');
    expect(await refusal(compare(folder, run))).to.have.property('code', 'report/record');
    expect(await refusal(compare(join(folder, 'evaluated'), run))).to.have.property('code', 'report/record');
  });

  it('two circuits of the literature: counted by hand, edge by edge, node to node, and node by node', async () => {
    const { circuits, overlaps, auroc } = await compare('tracr-reverse', 'tracr-reverse-resample');
    expect(circuits.map(({ edges, nodes }) => [edges, nodes])).to.deep.equal([
      [10, 6],
      [2, 2],
    ]);
    // keys and values of a3.h0 both read the input, which is one edge from node to node
    expect(overlaps.map(({ both, onlyFirst, onlySecond }) => [both, onlyFirst, onlySecond])).to.deep.equal([
      [2, 8, 0],
      [2, 7, 0],
      [2, 4, 0],
    ]);
    expect(overlaps.map(({ jaccard }) => jaccard)).to.deep.equal([2 / 10, 2 / 9, 2 / 6]);
    expect(overlaps.map(({ overlap }) => overlap)).to.deep.equal([1, 1, 1]);
    expect(auroc).to.deep.equal([]);
  });

  it('a run and its own circuit.json are the same circuit, and the scores of both find it', async () => {
    const { overlaps, auroc } = await compare(run, join(folder, 'mine.json'));
    expect(overlaps.map(({ jaccard }) => jaccard)).to.deep.equal([1, 1, 1]);
    expect(auroc.map(({ scores, against }) => scores + against)).to.deep.equal(['AB', 'BA']);
    for (const { value } of auroc) expect(value).to.be.greaterThan(0.95); // pruned edges may outrank those that are left
  });

  it('a reference that names nodes alone is compared by its nodes', async () => {
    const { circuits, overlaps } = await compare('induction-redwood-2l', 'induction-redwood-2l');
    expect(circuits[0]).to.include({ edges: 0, nodes: 3 });
    expect(overlaps[0]).to.include({ both: 0, jaccard: null });
    expect(overlaps[2]).to.include({ both: 3, jaccard: 1 });
  });

  it('on the command line: a table, or JSON', async () => {
    const compared = await runCli(['compare', 'tracr-reverse', 'tracr-reverse-resample']);
    expect(compared).to.include({ code: 0, stderr: '' });
    expect(compared.stdout).to.match(/edges from node to node +2 +7 +0 +0\.222 +1\.00/);
    const judged = await runCli(['evaluate', run, '--task', 'induction', '--model', 'induction']);
    expect(judged.code).to.equal(0);
    expect(judged.stdout)
      .to.match(/percentile among random circuits of its size +100 %/)
      .and.match(/pairs that the circuit gets right/);
    const json = await runCli(['compare', run, run, '--json']);
    expect((JSON.parse(json.stdout) as { overlaps: unknown[] }).overlaps).to.have.length(3);
  });
});
