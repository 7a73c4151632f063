/**
 * The folder that a run is written to. It is tried, and taken, before anything is computed. A manifest names the files of the run in
 * it with their digests: what the manifest does not vouch for is somebody else's, and is never written over, nor removed.
 */
import { mkdir, readdir, rmdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { refuse } from '../errors.js';
import { takeLock } from '../lock.js';
import { RUN_FOLDERS } from './folders/index.js';
import { readManifest, unchanged, type Manifest } from './manifest.js';

export interface OutputRequest {
  /** undefined: nothing is written */
  readonly out?: string | undefined;
  /** replaces the run that the folder holds */
  readonly overwrite?: boolean | undefined;
}

const LOCK_FILE = '.thevenin.lock';

const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'no permission; choose a folder you may write to with --out',
  EPERM: 'no permission; choose a folder you may write to with --out',
  EROFS: 'the file system is read-only; choose another folder with --out',
  ENOSPC: 'the disk is full; free some space, or choose another folder with --out',
  EDQUOT: 'the disk quota is used up; free some space, or choose another folder with --out',
  ENOENT: 'no file or folder can be made there; choose another folder with --out',
  ENOTDIR: 'a part of its path is a file, not a folder; choose another folder with --out',
  EEXIST: 'there is a file of that name; choose another folder with --out',
  EISDIR: 'there is a folder of that name; choose another folder with --out',
};

/** Turns what the file system says into one line that says what to do. @throws TheveninError file/unwritable */
export const writing = async <T>(target: string, work: () => Promise<T>): Promise<T> => {
  try {
    return await work();
  } catch (error) {
    const { code = '', message, syscall } = error as NodeJS.ErrnoException;
    if (syscall === undefined) throw error; // refused already, or no fault of the file system's
    return refuse('file/unwritable', `cannot write ${target}: ${REASONS[code] ?? message}`, error);
  }
};

/**
 * Takes the folder, and sees that a run may be written to it, for as long as the work lasts.
 * @throws TheveninError file/unwritable, file/exists, file/in-use: before the work begins
 */
export const withOutput = async <T>({ out, overwrite }: OutputRequest, work: () => Promise<T>): Promise<T> => {
  if (out === undefined) return work();
  return withFolder(out, async () => {
    await checkFolder(out, { overwrite });
    return work();
  });
};

/** Takes the folder for as long as the work lasts; folders that were made for it and stay empty are removed again. */
export async function withFolder<T>(dir: string, work: () => Promise<T>): Promise<T> {
  const made = await makeFolders(dir);
  try {
    const of = { what: `the folder ${dir}`, instead: 'choose another folder with --out' };
    const lock = await writing(dir, () => takeLock(path.join(dir, LOCK_FILE), of));
    try {
      return await work();
    } finally {
      lock.release();
    }
  } finally {
    for (const folder of made.reverse()) await rmdir(folder).catch(() => undefined);
  }
}

/** One after the other, as making them all at once never ends where the system has no place for them, e.g. in /proc. */
export async function makeFolders(dir: string): Promise<string[]> {
  const made: string[] = [];
  const make = async (folder: string): Promise<void> => {
    try {
      if ((await stat(folder)).isDirectory()) return;
      refuse('file/unwritable', `cannot write ${dir}: ${REASONS[folder === full ? 'EEXIST' : 'ENOTDIR']}`);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
    await make(path.dirname(folder));
    await mkdir(folder);
    made.push(folder);
  };
  const full = path.resolve(dir);
  await writing(dir, () => make(full));
  return made;
}

/** What runs call their files: arrays, pictures, records and pages, and what names them all. */
const OURS = new RegExp(
  `^(SHA256SUMS|[^/]+\\.(npy|svg)|circuit\\.json(\\.gz)?|pairs\\.json|(${RUN_FOLDERS.map(({ key }) => key).join('|')})\\.(json|html|md))$`,
);

export const isOurs = (name: string): boolean => OURS.test(name);

/**
 * The run that the folder holds, if any: one that may be replaced, or one that was killed before it was whole.
 * @throws TheveninError file/exists: the folder holds a run and nothing was said of replacing it, or files that no run wrote
 */
export async function checkFolder(
  dir: string,
  { overwrite }: Pick<OutputRequest, 'overwrite'>,
): Promise<Manifest | null> {
  const earlier = await readManifest(dir);
  if (earlier?.whole === true && overwrite !== true)
    refuse(
      'file/exists',
      `${dir} holds a run already (${earlier.record}); give --overwrite to replace it, or choose another folder with --out`,
    );
  for (const name of (await writing(dir, () => readdir(dir))).sort())
    if (isOurs(name) && !(await isOf(earlier, dir, name))) inTheWay(path.join(dir, name));
  return earlier;
}

const isOf = async (earlier: Manifest | null, dir: string, name: string): Promise<boolean> =>
  earlier !== null && (earlier.file === name || (await unchanged(dir, name, earlier)));

export const inTheWay = (file: string): never =>
  refuse(
    'file/exists',
    `${file} is in the way: runs write files of such names, and touch none that they did not write or that was changed since; move it, or choose another folder with --out`,
  );
