/** What is drawn of a run is a function of its record and sidecars: drawn again, it has the same bytes. */
import { expect } from 'chai';
import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { COMMITTED_RUNS } from '../../docs/runs.js';
import { render } from '../../src/jobs/records/render.js';
import { RUN_FOLDERS } from '../../src/report/folders/index.js';
import { sha256 } from '../../src/report/sidecar.js';
import { runCli } from '../helpers/cli.js';
import { inTemporaryFolder, refused } from '../helpers/model-files.js';
import { SMALL_RUNS, withSmallRun } from '../helpers/small-runs.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const SCRUBBING = `${ROOT}reports/scrubbing-induction/induction`;

const bytesOf = (folder: string): Readonly<Record<string, string>> =>
  Object.fromEntries(readdirSync(folder).sort().map((file) => [file, readFileSync(join(folder, file), 'base64')])); // prettier-ignore

const isData = (file: string): boolean =>
  file.endsWith('.npy') || file === 'pairs.json' || RUN_FOLDERS.some((folder) => folder.file === file);

/** Takes away everything but the record and its data. */
function leaveData(folder: string): void {
  for (const file of readdirSync(folder)) if (!isData(file)) rmSync(join(folder, file));
}

describe('a run drawn again', () => {
  for (const key of Object.keys(SMALL_RUNS))
    it(`${key}: has every file that the run wrote, byte for byte`, () =>
      withSmallRun(key, async (run) => {
        const written = bytesOf(run);
        leaveData(run);
        const { kind, files } = await render(run);
        expect(kind).to.equal(key);
        expect(files.every(({ asBefore }) => !asBefore)).to.equal(true);
        expect(bytesOf(run)).to.deep.equal(written);
        expect((await render(run)).files.every(({ asBefore }) => asBefore)).to.equal(true);
        expect(bytesOf(run)).to.deep.equal(written);
      }));

  it('has all kinds of runs tested', () => {
    expect(Object.keys(SMALL_RUNS)).to.have.members(RUN_FOLDERS.map(({ key }) => key));
  });

  for (const run of COMMITTED_RUNS)
    it(`${run}: is what is committed (else: npm run docs)`, () =>
      inTemporaryFolder(async (folder) => {
        cpSync(`${ROOT}${run}`, folder, { recursive: true });
        leaveData(folder);
        await render(folder);
        expect(bytesOf(folder)).to.deep.equal(bytesOf(`${ROOT}${run}`));
      }));
});

describe('a run that cannot be drawn', () => {
  const withCopy = <T>(work: (folder: string) => Promise<T>): Promise<T> =>
    inTemporaryFolder((folder) => {
      cpSync(SCRUBBING, folder, { recursive: true });
      return work(folder);
    });

  const change = (folder: string, edit: (record: Record<string, unknown>) => unknown): void => {
    const file = join(folder, 'scrubbing.json');
    writeFileSync(file, JSON.stringify(edit(JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>)));
  };

  it('is refused where there is none, or several', () =>
    withCopy(async (folder) => {
      await refused(render(join(folder, 'absent')), 'report/record', 'is no record of a run');
      await refused(render(join(folder, 'scrubbing.md')), 'report/record', 'is no record of a run');
      await refused(render(join(folder, 'nodes.json')), 'file/missing', 'nodes.json');
      cpSync(join(folder, 'scrubbing.json'), join(folder, 'nodes.json'));
      await refused(render(folder), 'report/record', 'several runs');
      await refused(render(join(folder, 'nodes.json')), 'report/record', 'does not fit its schema');
      rmSync(join(folder, 'nodes.json'));
      rmSync(join(folder, 'scrubbing.json'));
      await refused(render(folder), 'report/record', 'holds no run');
    }));

  it('is refused where its record is damaged, or its data are not those it names', () =>
    withCopy(async (folder) => {
      const claims = readFileSync(join(folder, 'claims.npy'));
      writeFileSync(join(folder, 'claims.npy'), Buffer.concat([claims.subarray(0, -1), Buffer.from([1])]));
      await refused(render(folder), 'report/record', 'claims.npy is not the file that the record names');
      rmSync(join(folder, 'claims.npy'));
      await refused(render(folder), 'report/record', 'claims.npy cannot be read');
      writeFileSync(join(folder, 'claims.npy'), claims);
      change(folder, (record) => ({ ...record, claims: undefined }));
      await refused(render(folder), 'report/record', "must have required property 'claims'");
      writeFileSync(join(folder, 'scrubbing.json'), '{"schemaVersion": 1');
      await refused(render(folder), 'report/record', 'is not JSON');
    }));

  it('reads and writes nothing outside its folder, whatever the record says', async () => {
    await withCopy(async (folder) => {
      change(folder, (record) => ({ ...record, perExample: [{ ...(record['perExample'] as object[])[0], file: '../claims.npy' }] })); // prettier-ignore
      await refused(render(folder), 'report/record', '"../claims.npy"');
    });
    await inTemporaryFolder(async (folder) => {
      cpSync(`${ROOT}reports/smollm2-135m-ioi-nodes/heads`, folder, { recursive: true });
      const record = readFileSync(join(folder, 'nodes.json'), 'utf8');
      writeFileSync(join(folder, 'nodes.json'), record.replace('"site": "z"', '"site": "../z"'));
      const before = bytesOf(folder);
      await refused(render(folder), 'report/record', '"../z.svg"');
      expect(bytesOf(folder)).to.deep.equal(before);
    });
  });
});

describe('a run drawn where it lies', () => {
  it('keeps what somebody wrote into its views, and is again what its manifest says once that is moved', () =>
    inTemporaryFolder(async (folder) => {
      cpSync(SCRUBBING, folder, { recursive: true });
      const written = bytesOf(folder);
      writeFileSync(join(folder, 'scrubbing.md'), 'my own words');
      await refused(render(folder), 'file/exists', 'scrubbing.md', 'changed since');
      expect(readFileSync(join(folder, 'scrubbing.md'), 'utf8')).to.equal('my own words');
      rmSync(join(folder, 'scrubbing.md'));
      await render(folder);
      expect(bytesOf(folder)).to.deep.equal(written);
    }));

  it('replaces views that are as the run wrote them, though it would draw them otherwise now', () =>
    inTemporaryFolder(async (folder) => {
      cpSync(SCRUBBING, folder, { recursive: true });
      const written = bytesOf(folder);
      const sums = readFileSync(join(folder, 'SHA256SUMS'), 'utf8');
      writeFileSync(join(folder, 'scrubbing.md'), 'as an earlier version drew it');
      const digest = sha256(readFileSync(join(folder, 'scrubbing.md')));
      writeFileSync(
        join(folder, 'SHA256SUMS'),
        sums.replace(/[0-9a-f]{64} {2}scrubbing\.md/, `${digest}  scrubbing.md`),
      );
      await render(folder);
      expect(bytesOf(folder)).to.deep.equal(written);
    }));
});

describe('thevenin render', () => {
  it('draws into the folder named, leaving the run alone, and says which files it drew', () =>
    inTemporaryFolder(async (folder) => {
      const before = bytesOf(SCRUBBING);
      const words = ['render', join(SCRUBBING, 'scrubbing.json'), '--out', folder];
      const { code, stdout, stderr } = await runCli(words);
      expect(code, stderr).to.equal(0);
      const drawn = ['scrubbing.html', 'scrubbing.md', 'hypothesis.svg'];
      expect(stdout.trim().split('\n').map((line) => basename(line))).to.deep.equal(drawn); // prettier-ignore
      expect(readdirSync(folder).sort()).to.deep.equal(['SHA256SUMS', ...drawn].sort());
      for (const file of drawn) expect(bytesOf(folder)[file]).to.equal(before[file]);
      expect(bytesOf(SCRUBBING)).to.deep.equal(before);
    }));
});
