/** A run's folder: sidecars, views, and the record last, so that a folder with a record is complete. */
import { mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import writeFileAtomic from 'write-file-atomic';
import { invariant, refuse } from '../errors.js';
import { encodeNpy } from './formats/npy.js';
import { recordFile } from './check.js';
import type { RunFolder } from './folders/types.js';
import { sha256 } from './sidecar.js';
import type { RenderedFile, Saved } from './view.js';

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

const encodeSidecars = <Kept extends object>(folder: RunFolder<Kept>, saved: Saved<Kept>): RenderedFile[] => {
  const described = folder.sidecars(saved.record);
  return saved.sidecars.map(({ file, data, shape }) => {
    const content = encodeNpy(data, shape);
    const own = described.find((one) => one.file === file);
    invariant(own?.sha256 === sha256(content), `the record's digest of ${file} is that of its data`);
    return { file, content };
  });
};

/** What is drawn of a run. @throws report/record: a record of somebody else's names a file outside its folder */
export const renderViews = <Kept extends object>({ views }: RunFolder<Kept>, saved: Saved<Kept>): RenderedFile[] => {
  const files = views.flatMap((view) => view.render(saved));
  const outside = files.find(({ file }) => path.basename(file) !== file);
  if (outside) refuse('report/record', `a view would be called "${outside.file}", which is no name of a file`);
  return files;
};

/** Writes files into a folder, in the order given, each whole or not at all. Returns their paths. @throws file/unwritable */
const writeFiles = async (dir: string, files: readonly RenderedFile[]): Promise<string[]> => {
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
 * Writes a run's folder: every file whole or not at all. Views and the folder's earlier versions of them under another name
 * (circuit.json.gz beside circuit.json) are replaced. Returns the paths written, pages first.
 *
 * Refuses with `file/unwritable` where the folder cannot be made or written to.
 */
export const writeRun = async <Kept extends object>(
  dir: string,
  folder: RunFolder<Kept>,
  saved: Saved<Kept>,
): Promise<string[]> => {
  const last = recordFile(folder.file, saved.record, folder.schema);
  return replace(dir, folder, [...encodeSidecars(folder, saved), ...renderViews(folder, saved), last]);
};

/** Draws a run that is there already: views alone, everything else as it is. Returns the paths written, pages first. */
export const writeViews = async <Kept extends object>(
  dir: string,
  folder: RunFolder<Kept>,
  saved: Saved<Kept>,
): Promise<string[]> => replace(dir, folder, renderViews(folder, saved));

const replace = async <Kept extends object>(
  dir: string,
  { views }: RunFolder<Kept>,
  files: readonly RenderedFile[],
): Promise<string[]> => {
  const stale = views.flatMap((view) => view.files ?? []).filter((name) => !files.some(({ file }) => file === name));
  const written = await writeFiles(dir, files);
  for (const name of stale) await writing(path.join(dir, name), () => rm(path.join(dir, name), { force: true }));
  return written.sort((a, b) => Number(b.endsWith('.html')) - Number(a.endsWith('.html')));
};
