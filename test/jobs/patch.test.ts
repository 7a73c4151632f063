import { expect } from 'chai';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { decodeNpy } from '../../src/report/formats/npy.js';
import type { PatchingRecord } from '../../src/report/records/patching.js';
import { patch } from '../../src/jobs/interventions/patch.js';
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

const withTask = <T>(work: (task: string, folder: string) => Promise<T>): Promise<T> =>
  inTemporaryFolder((folder) => {
    writeFiles(folder, { 'task.json': TASK });
    return work(join(folder, 'task.json'), folder);
  });

describe('patching a task', () => {
  it('writes a page, and for every grid a picture and the values of every pair, all named in the record', () =>
    withTask(async (task, folder) => {
      const out = join(folder, 'out');
      const { record, written } = await patch({ task, model: MODEL, grid: 'every', out, runtime: 'reference' });
      const keys = ['resid-pre', 'attention-out', 'mlp-out', 'z', 'q', 'k', 'v', 'pattern'];
      expect(record.grids.map(({ grid }) => grid)).to.deep.equal(keys);
      expect(readdirSync(out).sort()).to.deep.equal(
        [...keys.flatMap((key) => [`${key}.npy`, `${key}.svg`]), 'patching.html', 'patching.json', 'SHA256SUMS'].sort(),
      );
      expect(written[0]).to.equal(join(out, 'patching.html'));
      expect(JSON.parse(readFileSync(join(out, 'patching.json'), 'utf8'))).to.deep.equal(
        JSON.parse(JSON.stringify(record)),
      );
      const { data, shape } = decodeNpy(readFileSync(join(out, 'z.npy')), 'z.npy');
      expect(shape).to.deep.equal([3, 4, 2]);
      expect(record.grids[3]!.mean[5]).to.equal((data[10]! + data[11]!) / 2);
    }));

  it('refuses a span that some prompts lack before anything is run', () =>
    withTask((task) =>
      refused(patch({ task, model: MODEL, grid: 'resid-pre', by: 'span' }), 'interventions/positions', 'end is absent'),
    ));

  it('takes the spans that it is told', () =>
    withTask(async (task) => {
      const { record } = await patch({
        task,
        model: MODEL,
        grid: 'resid-pre',
        by: 'span',
        spans: ['subject'],
        runtime: 'reference',
      });
      expect(record.grids[0]!.axes[1]).to.deep.equal({ name: 'span', labels: ['subject'] });
      expect(record.grids[0]!.recovery![0]).to.be.closeTo(1, 1e-9); // the prompts differ there alone
    }));
});

describe('patching the paths of a task', () => {
  it('writes senders and receivers as a grid, noising unless asked otherwise', () =>
    withTask(async (task, folder) => {
      const out = join(folder, 'out');
      const path = 'a0.* -> a2.*<v> -> logits';
      const { record, written } = await patch({ task, model: MODEL, path, out, runtime: 'reference' });
      expect(record).to.include({ kind: 'path-patching', direction: 'noising' });
      const [grid] = record.grids;
      expect(grid!.title).to.equal('a0.* -> a2.*<v> -> logits, MLPs kept');
      expect(grid!.axes).to.deep.equal([
        { name: 'sender', labels: ['a0.h0', 'a0.h1', 'a0.h2', 'a0.h3'] },
        { name: 'receiver', labels: ['logits'] },
      ]);
      expect(readdirSync(out).sort()).to.deep.equal([
        'SHA256SUMS',
        'patching.html',
        'patching.json',
        'path.npy',
        'path.svg',
      ]);
      expect(readFileSync(written[0]!, 'utf8')).to.include('Along the paths from sender to receiver alone');
    }));

  it('knocks attention out, head by head', () =>
    withTask(async (task) => {
      const asked = { knockout: 'a*.*.pattern@end<-subject', each: 'head', layers: [1, 2] } as const;
      const { record } = await patch({ task, model: MODEL, ...asked, runtime: 'reference' });
      expect(record).to.include({ kind: 'attention-knockout', direction: 'noising' });
      expect(record.grids[0]!.axes.map(({ labels }) => labels)).to.deep.equal([
        ['1', '2'],
        ['0', '1', '2', '3'],
      ]);
    }));

  it('asks for one thing at a time', () =>
    withTask(async (task) => {
      await refused(
        patch({ task, model: MODEL, path: 'm0->logits', grid: 'z' }),
        'interventions/grid',
        'not --grid and --path',
      );
      await refused(patch({ task, model: MODEL }), 'interventions/grid', 'give one of --grid, --path');
    }));
});

describe('thevenin patch', () => {
  it('patches a path', () =>
    withTask(async (task, folder) => {
      const words = ['patch', '--task', task, '--model', MODEL, '--out', join(folder, 'out')];
      const path = ['--path', 'm0 -> a1.*<q>', '--mlps', 'recomputed', '--receivers', 'each'];
      const { code, stdout, stderr } = await runCli([...words, ...path]);
      expect(code, stderr).to.equal(0);
      expect(stdout).to.match(
        /^mine on gpt2, 2 pairs, noising: .*\n(.*\n)*path +sender m0, receiver a1\.h\d<q> +[+−-]\d/,
      );
    }));

  it('prints the strongest cells, or the record as JSON', () =>
    withTask(async (task, folder) => {
      const words = [
        'patch',
        '--task',
        task,
        '--model',
        MODEL,
        '--grid',
        'z',
        '--layers',
        '1,2',
        '--out',
        join(folder, 'out'),
      ];
      const { code, stdout, stderr } = await runCli([...words, '--json', '--direction', 'noising']);
      expect(code, stderr).to.equal(0);
      const record = JSON.parse(stdout) as PatchingRecord;
      expect(record).to.include({ kind: 'activation-patching', direction: 'noising' });
      expect(record.grids[0]!.axes[0]!.labels).to.deep.equal(['1', '2']);
      expect((await runCli([...words, '--overwrite'])).stdout).to.match(
        /^mine on gpt2, 2 pairs, denoising: .*\n(.*\n)*z +layer \d, head \d/,
      );
    }));

  it('refuses an unknown grid in one line', () =>
    withTask(async (task) => {
      const { code, stderr } = await runCli([
        'patch',
        '--task',
        task,
        '--model',
        MODEL,
        '--grid',
        'heads',
        '--out',
        'no',
      ]);
      expect(code).to.equal(2);
      expect(stderr).to.match(/^thevenin: .*"heads".*resid-pre.* \[interventions\/grid\]\n$/);
    }));
});
