/** The folder that a run is written to: what in it is the run's, what is somebody else's, and what a killed process leaves. */
import { execFileSync, spawnSync } from 'node:child_process';
import {
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { TheveninError, type ErrorCode } from '../../src/errors.js';
import { withOutput } from '../../src/report/output.js';
import { REPORT } from '../../src/report/folders/report.js';
import { writeRun } from '../../src/report/write.js';
import { refused } from '../helpers/model-files.js';
import { reportOf } from '../helpers/write-report.js';

/** checks digests (coreutils) */
const SHA256SUM = 'sha256sum';
const KILLED = fileURLToPath(new URL('../helpers/killed-writer.ts', import.meta.url));
const [before, after] = [reportOf(1, 2), reportOf(2, 2)];
/** of other file names: its circuit is compressed */
const large = reportOf(8, 12);

type Report = typeof before;

describe('the folder of a run', () => {
  let parent: string;
  let dir: string;
  beforeEach(() => {
    parent = mkdtempSync(join(tmpdir(), 'thevenin-output-'));
    dir = join(parent, 'run');
  });
  afterEach(() => rmSync(parent, { recursive: true, force: true }));

  const write = ({ record, sidecars }: Report, options: { overwrite?: boolean } = {}): Promise<string[]> =>
    writeRun({ out: dir, ...options }, REPORT, { record, sidecars });
  const held = (): Record<string, string> =>
    Object.fromEntries(readdirSync(dir).map((name) => [name, readFileSync(join(dir, name), 'base64')])); // prettier-ignore
  const alone = async (report: Report): Promise<Record<string, string>> => {
    await write(report);
    const files = held();
    rmSync(dir, { recursive: true });
    return files;
  };
  let worked = 0;
  /** what a job asks before it computes */
  const claim = (options: { overwrite?: boolean } = {}): Promise<void> =>
    withOutput({ out: dir, ...options }, () => Promise.resolve(void worked++));
  const refusedUntried = async (code: ErrorCode, ...pieces: string[]): Promise<void> => {
    worked = 0;
    const error = await claim({ overwrite: true }).catch((reason: unknown) => reason as TheveninError);
    expect(error).to.be.instanceOf(TheveninError).and.to.have.property('code', code);
    for (const piece of pieces) expect((error as TheveninError).message).to.contain(piece);
    expect(worked, 'nothing was computed').to.equal(0);
  };

  describe('is tried before anything is computed', () => {
    it('a file in its place, or in its path', async () => {
      writeFileSync(dir, '');
      await refusedUntried('file/unwritable', dir, 'there is a file of that name', '--out');
      dir = join(dir, 'below');
      await refusedUntried('file/unwritable', 'a part of its path is a file', '--out');
    });

    it('a link that leads nowhere', async () => {
      symlinkSync(join(parent, 'nowhere'), dir);
      await refusedUntried('file/unwritable', 'there is a file of that name');
      expect(existsSync(join(parent, 'nowhere'))).to.equal(false);
    });

    it('a place that can hold no folders, where making one would never end', async function () {
      if (!existsSync('/proc/self')) this.skip();
      dir = '/proc/thevenin/run';
      await refusedUntried('file/unwritable', dir, 'no file or folder can be made there');
    });

    it('no permission', async function () {
      if (process.getuid?.() === 0) {
        this.test!.title += ' (skipped: root may write anywhere)';
        this.skip();
      }
      mkdirSync(dir, { mode: 0o500 });
      await refusedUntried('file/unwritable', 'no permission; choose a folder you may write to');
    });

    it('and is gone again when the work fails, unless it was there', async () => {
      dir = join(parent, 'a', 'b');
      const failing = (): Promise<unknown> =>
        withOutput({ out: dir }, () => Promise.reject(new Error('no'))).catch(() => null);
      await failing();
      expect(readdirSync(parent)).to.deep.equal([]);
      mkdirSync(join(parent, 'a'));
      await failing();
      expect(readdirSync(parent)).to.deep.equal(['a']);
      expect(readdirSync(join(parent, 'a'))).to.deep.equal([]);
    });
  });

  describe('that holds a run', () => {
    it('is refused', async () => {
      await write(before);
      const files = held();
      await refused(claim(), 'file/exists', dir, 'report.json', '--overwrite', '--out');
      await refused(write(after), 'file/exists', '--overwrite');
      expect(held()).to.deep.equal(files);
    });

    it('with overwrite, loses all that the run before wrote, and nothing else', async () => {
      const expected = await alone(after);
      await write(large);
      writeFileSync(join(dir, 'notes.md'), 'mine');
      mkdirSync(join(dir, 'figures'));
      await claim({ overwrite: true });
      expect(existsSync(join(dir, 'report.json')), 'the run before stays until there is another').to.equal(true);
      await write(after, { overwrite: true });
      rmSync(join(dir, 'figures'), { recursive: true });
      const { 'notes.md': notes, ...others } = held();
      expect(Buffer.from(notes!, 'base64').toString()).to.equal('mine');
      expect(others).to.deep.equal(expected);
    });

    it('names its files and their digests as sha256sum reads them, the record last', async function () {
      await write(after);
      const lines = readFileSync(join(dir, 'SHA256SUMS'), 'utf8').trimEnd().split('\n');
      expect(lines.slice(1).map((line) => line.slice(66)).sort()).to.deep.equal(readdirSync(dir).filter((name) => name !== 'SHA256SUMS').sort()); // prettier-ignore
      expect(lines.at(-1)).to.match(/ report\.json$/);
      if (spawnSync(SHA256SUM, ['--version']).status !== 0) this.skip();
      execFileSync(SHA256SUM, ['--check', '--strict', '--quiet', 'SHA256SUMS'], { cwd: dir });
    });

    it('is refused where one of its files was changed since', async () => {
      await write(before);
      writeFileSync(join(dir, 'report.md'), 'my own words');
      await refusedUntried('file/exists', 'report.md', 'changed since');
      await refused(write(after, { overwrite: true }), 'file/exists', 'report.md');
      expect(readFileSync(join(dir, 'report.md'), 'utf8')).to.equal('my own words');
      expect(existsSync(join(dir, 'report.json'))).to.equal(true);
    });
  });

  describe("that holds somebody else's files", () => {
    for (const name of ['report.md', 'circuit.json.gz', 'report.json', 'z.npy', 'SHA256SUMS'])
      it(`is refused for a ${name} that no run wrote`, async () => {
        mkdirSync(dir);
        writeFileSync(join(dir, name), 'mine');
        await refusedUntried('file/exists', join(dir, name), 'in the way', 'move it');
        await refused(write(after, { overwrite: true }), 'file/exists');
        expect(held()).to.deep.equal({ [name]: Buffer.from('mine').toString('base64') });
      });

    for (const [what, make] of [
      ['symbolic link', symlinkSync],
      ['symbolic link to nowhere', (to: string, link: string) => (rmSync(to), symlinkSync(to, link))],
      ['hard link', linkSync],
      ['folder', (_: string, folder: string) => mkdirSync(folder)],
    ] as const)
      it(`is refused for a ${what} of a name that runs write, and nothing is written through it`, async () => {
        mkdirSync(dir);
        const precious = join(parent, 'precious');
        writeFileSync(precious, 'mine');
        make(precious, join(dir, 'report.html'));
        const kind = lstatSync(join(dir, 'report.html')).mode;
        await refusedUntried('file/exists', 'report.html');
        await refused(write(after, { overwrite: true }), 'file/exists');
        expect(readdirSync(dir)).to.deep.equal(['report.html']);
        expect(lstatSync(join(dir, 'report.html')).mode).to.equal(kind);
        if (existsSync(precious)) expect(readFileSync(precious, 'utf8')).to.equal('mine');
      });

    it('is written to where they have other names', async () => {
      mkdirSync(dir);
      writeFileSync(join(dir, 'package.json'), 'mine');
      await write(after);
      expect(readFileSync(join(dir, 'package.json'), 'utf8')).to.equal('mine');
    });
  });

  it('of a process killed at any moment never passes for a run, unless for the old or the new one; the next run ends clean', async () => {
    const expected = { before: await alone(before), after: await alone(after) };
    let step = 0;
    for (let killed = true; killed;) {
      await write(before);
      const { signal } = spawnSync(process.execPath, ['--import', 'tsx', KILLED, dir, `${++step}`]);
      killed = signal === 'SIGKILL';
      if (killed && existsSync(join(dir, 'report.json'))) expect(held(), `step ${step}`).to.deep.equal(expected.before);
      if (existsSync(join(dir, 'report.json'))) await write(after, { overwrite: true });
      else await write(after);
      expect(held(), `step ${step}`).to.deep.equal(expected.after);
      rmSync(dir, { recursive: true });
    }
    // 6 files and the manifest removed, the manifest and 6 files written
    expect(step).to.equal(15);
  });

  it('is taken by one process at a time, and by the next where that one has died', async () => {
    mkdirSync(dir);
    const lock = join(dir, '.thevenin.lock');
    const holder = (pid: number): string =>
      JSON.stringify({ host: hostname(), pid, began: null, since: 'this morning' });
    writeFileSync(lock, holder(process.pid));
    await refusedUntried('file/in-use', dir, `process ${process.pid} on ${hostname()}`, 'this morning', '--out');
    writeFileSync(lock, JSON.stringify({ host: 'another-machine', pid: 1, began: null, since: 'noon' }));
    await refusedUntried('file/in-use', 'process 1 on another-machine');
    const { pid } = spawnSync(process.execPath, ['--version']);
    writeFileSync(lock, holder(pid));
    worked = 0;
    await claim();
    expect(worked).to.equal(1);
    expect(readdirSync(parent), 'what was there stays').to.deep.equal(['run']);
    expect(readdirSync(dir)).to.deep.equal([]);
    await withOutput({ out: dir }, () => refusedUntried('file/in-use', `process ${process.pid}`));
  });
});
