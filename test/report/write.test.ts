import { spawnSync } from 'node:child_process';
import { chmod, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { expect } from 'chai';
import { readExchange } from '../../src/report/formats/exchange.js';
import { decodeNpy } from '../../src/report/formats/npy.js';
import type { ReportRecord } from '../../src/report/records/report.js';
import { sha256 } from '../../src/report/sidecar.js';
import type { Sidecar } from '../../src/report/sidecar.js';
import { REPORT } from '../../src/report/folders/report.js';
import { writeRun } from '../../src/report/write.js';
import { edgesOf } from '../helpers/circuit.js';
import { reportOf } from '../helpers/write-report.js';

/** runs a command in namespaces of its own (util-linux) */
const ISOLATE = 'unshare';
const WRITER = fileURLToPath(new URL('../helpers/write-report.ts', import.meta.url));
const small = reportOf(2, 2);
const writeReport = (out: string, record: ReportRecord, sidecars: readonly Sidecar[]): Promise<string[]> =>
  writeRun({ out }, REPORT, { record, sidecars });
const replaceReport = (out: string, record: ReportRecord, sidecars: readonly Sidecar[]): Promise<string[]> =>
  writeRun({ out, overwrite: true }, REPORT, { record, sidecars });

describe('writing a report', () => {
  let dir: string;
  beforeEach(async () => {
    dir = await mkdtemp(path.join(tmpdir(), 'thevenin-report-'));
  });
  afterEach(() => rm(dir, { recursive: true, force: true }));

  const refusal = async (target: string) =>
    writeReport(target, small.record, small.sidecars).then(
      () => expect.fail('it was written'),
      (error: unknown) => error as Error & { code: string },
    );

  it('makes the folder and writes record, sidecars and every view, and nothing else', async () => {
    const out = path.join(dir, 'a', 'b');
    const written = await writeReport(out, small.record, small.sidecars);
    const expected = ['circuit.json', 'circuit.svg', 'report.html', 'report.json', 'report.md', 'scores.npy'];
    expect((await readdir(out)).sort()).to.deep.equal(['SHA256SUMS', ...expected]);
    expect(written.map((file) => path.basename(file)).sort()).to.deep.equal(expected);
    expect(path.basename(written.at(-1)!)).to.equal('report.json');
  });

  it('writes the record as it is, and the digests of its sidecars are those of the files', async () => {
    await writeReport(dir, small.record, small.sidecars);
    const record = JSON.parse(await readFile(path.join(dir, 'report.json'), 'utf8')) as ReportRecord;
    expect(record).to.deep.equal(small.record);
    const [described] = record.sidecars;
    const bytes = await readFile(path.join(dir, described!.file));
    expect(sha256(bytes)).to.equal(described!.sha256);
    expect(decodeNpy(bytes, described!.file)).to.deep.equal({ data: small.scores, shape: described!.shape });
  });

  it('writes the circuit in the exchange format: all scores, and which edges are in', async () => {
    await writeReport(dir, small.record, small.sidecars);
    const back = readExchange(await readFile(path.join(dir, 'circuit.json'), 'utf8'), { file: 'circuit.json' });
    expect(back.scores).to.deep.equal(small.scores);
    expect(edgesOf(back.edges)).to.deep.equal(small.record.circuit.edges.map(({ index }) => index));
  });

  it('compresses the circuit above 10,000 edges unless it is asked for plain, and leaves one of the two', async () => {
    const large = reportOf(8, 12);
    expect(large.record.graph.edges).to.be.above(10_000);
    await writeReport(dir, large.record, large.sidecars);
    const compressed = gunzipSync(await readFile(path.join(dir, 'circuit.json.gz'))).toString();
    expect(await readdir(dir)).not.to.include('circuit.json');
    await replaceReport(dir, { ...large.record, request: { plain: true } }, large.sidecars);
    expect(await readFile(path.join(dir, 'circuit.json'), 'utf8')).to.equal(compressed);
    expect(await readdir(dir)).not.to.include('circuit.json.gz');
  });

  it('gives the same bytes twice', async () => {
    const read = async () => Promise.all((await readdir(dir)).sort().map((file) => readFile(path.join(dir, file))));
    await writeReport(dir, small.record, small.sidecars);
    const first = await read();
    await replaceReport(dir, small.record, small.sidecars);
    expect(await read()).to.deep.equal(first);
  });

  it('refuses in one line where the folder cannot be made, saying what to do', async () => {
    const file = path.join(dir, 'file');
    await writeFile(file, '');
    const error = await refusal(path.join(file, 'report'));
    expect(error).to.have.property('code', 'file/unwritable');
    expect(error.message).to.match(
      /^cannot write .*: a part of its path is a file, not a folder; choose another folder with --out$/,
    );
    expect((await refusal(file)).message).to.contain('there is a file of that name');
  });

  it('refuses a folder it may not write to', async function () {
    if (process.getuid?.() === 0) {
      this.test!.title += ' (skipped: root may write anywhere)';
      this.skip();
    }
    await chmod(dir, 0o500);
    const error = await refusal(dir);
    await chmod(dir, 0o700);
    expect(error).to.have.property('code', 'file/unwritable');
    expect(error.message).to.contain('no permission; choose a folder you may write to with --out');
  });

  it('refuses a full disk, and leaves no half file', function () {
    // a file system of 16 kB that only the child process sees
    const mount = `mount -t tmpfs -o size=16k none '${dir}'`;
    const inside = (command: string) =>
      spawnSync(ISOLATE, ['-rm', 'sh', '-c', `${mount} && ${command}`], { encoding: 'utf8' });
    if (inside('true').status !== 0) {
      this.test!.title += ' (skipped: no file system can be mounted here)';
      this.skip();
    }
    const child = inside(`'${process.execPath}' --import tsx '${WRITER}' '${dir}'`);
    const { code, message, files } = JSON.parse(child.stdout) as { code: string; message: string; files: string[] };
    expect(code).to.equal('file/unwritable');
    expect(message).to.contain('the disk is full; free some space');
    expect(files).to.include('scores.npy').and.not.to.include('report.json');
    expect(
      files.filter((file) => !/^(SHA256SUMS|scores\.npy|circuit\.(json|svg)|report\.(md|html))$/.test(file)),
    ).to.deep.equal([]);
  });

  it('never writes a record that does not fit its schema or its sidecars', async () => {
    const wrong = { ...small.record, schemaVersion: 2 } as unknown as ReportRecord;
    const other = [{ ...small.sidecars[0]!, data: new Float64Array(small.scores.length) }];
    for (const attempt of [writeReport(dir, wrong, small.sidecars), writeReport(dir, small.record, other)]) {
      const error: unknown = await attempt.catch((reason: unknown) => reason);
      expect(error).to.have.property('code', 'fault/internal');
    }
    expect(await readdir(dir)).to.deep.equal([]);
  });
});
