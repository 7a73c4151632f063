/** A report folder: sidecars, views, and the record last, so that a folder with a record is complete. */
import { mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import writeFileAtomic from 'write-file-atomic';
import { invariant, refuse } from '../errors.js';
import { encodeNpy } from './formats/npy.js';
import { recordProblem } from './check.js';
import { RECORD_FILE } from './records/report.js';
import type { ReportRecord } from './records/report.js';
import { sha256 } from './sidecar.js';
import type { Sidecar } from './sidecar.js';
import type { RenderedFile, ViewOptions } from './view.js';
import { VIEWS } from './views.js';

const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'no permission; choose a folder you may write to with --out',
  EPERM: 'no permission; choose a folder you may write to with --out',
  EROFS: 'the file system is read-only; choose another folder with --out',
  ENOSPC: 'the disk is full; free some space, or choose another folder with --out',
  EDQUOT: 'the disk quota is used up; free some space, or choose another folder with --out',
  ENOTDIR: 'a part of its path is a file, not a folder; choose another folder with --out',
  EEXIST: 'there is a file of that name; choose another folder with --out',
  EISDIR: 'there is a folder of that name; choose another folder with --out',
};

/** Turns what the file system says into one line that says what to do. */
const writing = async (target: string, work: () => Promise<unknown>): Promise<void> => {
  try {
    await work();
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException;
    refuse('file/unwritable', `cannot write ${target}: ${REASONS[code] ?? message}`, error);
  }
};

const encodeSidecars = (record: ReportRecord, sidecars: readonly Sidecar[]): RenderedFile[] =>
  sidecars.map(({ file, data, shape }) => {
    const content = encodeNpy(data, shape);
    const described = record.sidecars.find((described) => described.file === file);
    invariant(described?.sha256 === sha256(content), `the record's digest of ${file} is that of its data`);
    return { file, content };
  });

/** Writes files into a folder, in the order given, each whole or not at all. Returns their paths. @throws file/unwritable */
export const writeFiles = async (dir: string, files: readonly RenderedFile[]): Promise<string[]> => {
  await writing(dir, () => mkdir(dir, { recursive: true }));
  const written: string[] = [];
  for (const { file, content } of files) {
    const target = path.join(dir, file);
    await writing(target, () => writeFileAtomic(target, typeof content === 'string' ? content : Buffer.from(content)));
    written.push(target);
  }
  return written;
};

/**
 * Writes a report folder: every file whole or not at all. Views and the folder's earlier versions of them under another name
 * (circuit.json.gz beside circuit.json) are replaced. Returns the paths written.
 *
 * Refuses with `file/unwritable` where the folder cannot be made or written to.
 */
export const writeReport = async (
  dir: string,
  record: ReportRecord,
  sidecars: readonly Sidecar[],
  options: Partial<ViewOptions> = {},
): Promise<string[]> => {
  const problem = recordProblem(record);
  invariant(problem === null, `a report record fits its schema: ${problem}`);
  const views = VIEWS.map((view) => view.render({ record, sidecars }, { plain: false, ...options }));
  const recordFile = { file: RECORD_FILE, content: `${JSON.stringify(record, null, 2)}\n` };
  const files = [...encodeSidecars(record, sidecars), ...views, recordFile];
  const stale = VIEWS.flatMap((view) => view.files).filter((name) => !files.some(({ file }) => file === name));
  const written = await writeFiles(dir, files);
  for (const name of stale) await writing(path.join(dir, name), () => rm(path.join(dir, name), { force: true }));
  return written;
};
