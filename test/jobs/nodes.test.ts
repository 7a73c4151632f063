import { expect } from 'chai';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { recordProblem } from '../../src/report/check.js';
import { number, whole } from '../../src/report/format.js';
import { decodeNpy } from '../../src/report/formats/npy.js';
import { NODES_SCHEMA, type NodesRecord } from '../../src/report/records/nodes.js';
import { sha256 } from '../../src/report/sidecar.js';
import { nodes } from '../../src/jobs/attribution/nodes.js';
import { runCli } from '../helpers/cli.js';
import { golden, inTemporaryFolder, refused, writeFiles } from '../helpers/model-files.js';

const MODEL = golden('architectures', 'gpt2');
const TASK = {
  ...{ name: 'mine', metric: 'logit-difference', bos: false },
  pairs: [
    { clean: [1, 2, 3, 4], corrupt: [1, 9, 3, 4], correct: 5, incorrect: 6, spans: { subject: [1, 2], end: [3, 4] } },
    { clean: [7, 2, 3, 4], corrupt: [7, 8, 3, 4], correct: 6, incorrect: 5, spans: { subject: [1, 2] } },
  ],
};

const withTask = <T>(work: (of: { task: string; model: string; runtime: string }, folder: string) => Promise<T>) =>
  inTemporaryFolder((folder) => {
    writeFiles(folder, { 'task.json': TASK });
    return work({ task: join(folder, 'task.json'), model: MODEL, runtime: 'reference' }, folder);
  });

describe('attribution to the nodes of a model', () => {
  it('writes a page, a text, and for every site a picture and the values of every pair', () =>
    withTask(async (of, folder) => {
      const out = join(folder, 'out');
      const asked = { ...of, site: ['z', 'neurons'], layers: [0, 2], top: 4, sample: 3, out };
      const { record, written } = await nodes(asked);
      expect(readdirSync(out).sort()).to.deep.equal(
        ['SHA256SUMS', 'neurons.npy', 'neurons.svg', 'nodes.html', 'nodes.json', 'nodes.md', 'z.npy', 'z.svg'].sort(),
      );
      expect(written[0]).to.equal(join(out, 'nodes.html'));
      expect(JSON.parse(readFileSync(join(out, 'nodes.json'), 'utf8'))).to.deep.equal(JSON.parse(JSON.stringify(record))); // prettier-ignore
      const { data, shape } = decodeNpy(readFileSync(join(out, 'z.npy')), 'z.npy');
      expect(shape).to.deep.equal([2, 4, 2]);
      expect(record.sites[0]!.mean[5]).to.be.closeTo((data[10]! + data[11]!) / 2, 1e-6);
      expect(readFileSync(join(out, 'nodes.md'), 'utf8')).to.match(
        /\| layer \d, head \d \| [+−][\d.]+ \| [+−][\d.]+ \|/,
      );
      const page = readFileSync(join(out, 'nodes.html'), 'utf8');
      expect(page).to.include('Correlation with exact effects').and.include('largest miss layer');
      expect(page).not.to.match(/<script|https?:\/\/(?!www\.w3\.org)/);
    }));

  it('measures the strongest and a seeded sample of the others, and says how far estimates are off', () =>
    withTask(async (of) => {
      const asked = { ...of, site: ['q'], method: 'ap-ig', steps: 2, by: 'position', top: 3, sample: 4 } as const;
      const { record } = await nodes(asked);
      const [{ measured, agreement, mean }] = record.sites as unknown as [NodesRecord['sites'][number]];
      expect(measured.map(({ why }) => why)).to.deep.equal([...Array<string>(3).fill('strongest'), ...Array<string>(4).fill('random')]); // prettier-ignore
      expect(new Set(measured.map(({ cell }) => cell)).size).to.equal(7);
      const sizes = mean.map(Math.abs).sort((a, b) => b - a);
      expect(measured.slice(0, 3).map(({ estimate }) => Math.abs(estimate))).to.deep.equal(sizes.slice(0, 3));
      const misses = measured.map(({ estimate, exact }) => Math.abs(estimate - exact.mean));
      const { largestMiss, correlation, count } = agreement.all;
      expect(Math.abs(largestMiss!.estimate - largestMiss!.exact)).to.equal(Math.max(...misses));
      expect({ count, random: agreement.random.count }).to.deep.equal({ count: 7, random: 4 });
      expect(correlation).to.be.within(-1, 1);
      const again = (await nodes(asked)).record.sites[0]!.measured;
      expect(again.map(({ cell }) => cell)).to.deep.equal(measured.map(({ cell }) => cell));
      const other = (await nodes({ ...asked, seed: 1 })).record.sites[0]!.measured;
      expect(other.map(({ cell }) => cell)).not.to.deep.equal(measured.map(({ cell }) => cell));
    }));

  it('says before it starts what it will hold, and where that is too much keeps means alone', () =>
    withTask(async (of) => {
      const stages = new Set<string>();
      const { record, sidecars } = await nodes(
        { ...of, site: ['neurons'], layers: [1], by: 'position', memory: 100, top: 1, sample: 0 },
        { onProgress: ({ stage }) => stages.add(stage) },
      );
      expect([...stages][0]).to.match(
        /^attribution patching, neurons: 512 nodes; holds means alone \(.* would take .*--memory/,
      );
      expect(record.memory).to.include({ kept: false, cells: 512, perExampleBytes: 512 * 2 * 4 });
      expect({ sidecars, perExample: record.sites[0]!.perExample }).to.deep.equal({ sidecars: [], perExample: null });
    }));

  it('refuses before anything is run: unknown sites and methods, neurons of all layers, spans that some prompts lack', () =>
    withTask(async (of) => {
      await refused(nodes({ ...of, site: ['heads'] }), 'interventions/grid', '"heads"');
      await refused(nodes({ ...of, method: 'eap' }), 'interventions/estimator', '"eap"');
      await refused(nodes({ ...of, site: ['neurons'] }), 'interventions/grid', '--layers');
      await refused(nodes({ ...of, by: 'span' }), 'interventions/positions', 'end is absent');
    }));
});

describe('thevenin nodes', () => {
  it('prints estimates beside exact effects, or the record as JSON', () =>
    withTask(async ({ task, model }) => {
      const words = [
        'nodes',
        '--task',
        task,
        '--model',
        model,
        '--site',
        'z,mlp-out',
        '--method',
        'ig',
        '--steps',
        '2',
      ];
      const { code, stdout, stderr } = await runCli([...words, '--top', '2', '--sample', '2']);
      expect(code, stderr).to.equal(0);
      expect(stdout)
        .to.match(/^mine on gpt2, 2 pairs, integrated gradients of each site, 2 midpoints of 15 nodes: /)
        .and.match(/^z: node +estimate +exact effect +95 % interval\nlayer \d, head \d +[+−]/m)
        .and.match(
          /^Correlation with exact effects [−\d.]+ \(of ranks [−\d.]+\) over 4 nodes, of the 2 drawn at random .*; largest miss layer/m,
        );
      const json = await runCli([...words, '--json']);
      expect((JSON.parse(json.stdout) as NodesRecord).settings).to.deep.equal({
        ...{ steps: 2, rule: 'midpoint', top: 20, sample: 20, seed: 0 },
      });
    }));
});

describe('the committed attribution to nodes of SmolLM2-135M', () => {
  const ROOT = fileURLToPath(new URL('../../', import.meta.url));
  const page = readFileSync(`${ROOT}docs/nodes.md`, 'utf8').replace(/\s+/g, ' ');
  for (const name of ['heads', 'neurons']) {
    const folder = `${ROOT}reports/smollm2-135m-ioi-nodes/${name}`;
    const record = JSON.parse(readFileSync(`${folder}/nodes.json`, 'utf8')) as NodesRecord;
    const [site] = record.sites as unknown as [NodesRecord['sites'][number]];

    it(`${name}: fits its schema; its estimates are the means of those of every pair`, () => {
      expect(recordProblem(record, NODES_SCHEMA)).to.equal(null);
      const bytes = readFileSync(`${folder}/${site.perExample!.file}`);
      expect(sha256(bytes)).to.equal(site.perExample!.sha256);
      const { data } = decodeNpy(bytes, name);
      const { pairs } = record.task;
      site.mean.forEach((mean, cell) => {
        const own = data.subarray(cell * pairs, (cell + 1) * pairs) as Float32Array;
        expect(own.reduce((sum, x) => sum + x, 0) / pairs).to.be.closeTo(mean, 1e-5);
      });
    });

    it(`${name}: the page says of it what it holds`, () => {
      const { correlation, rankCorrelation, largestMiss } = site.agreement.all;
      for (const said of [`correlation ${number(correlation!)}, of ranks ${number(rankCorrelation!)}`, whole(site.mean.length)]) expect(page).to.include(said); // prettier-ignore
      if (name === 'heads')
        expect(page).to.include(`largest miss ${largestMiss!.name}, estimated ${number(largestMiss!.estimate, { signed: true })}, exact ${number(largestMiss!.exact, { signed: true })}`); // prettier-ignore
      expect(site.agreement.all.count).to.equal(40);
    });
  }
});
