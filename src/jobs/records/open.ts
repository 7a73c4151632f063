/** A run that was written, read again: its record, held to its schema, and its sidecars, held to the digests that it names. */
import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { refuse } from '../../errors.js';
import { recordProblem } from '../../report/check.js';
import { RUN_FOLDERS } from '../../report/folders/index.js';
import type { RunFolder } from '../../report/folders/types.js';
import { decodeNpy } from '../../report/formats/npy.js';
import type { SidecarRecord } from '../../report/records/report.js';
import { sha256, type Sidecar } from '../../report/sidecar.js';
import type { ListFile, Saved } from '../../report/view.js';
import { readTextFile } from '../../task/files/text-file.js';

export interface OpenedRun {
  /** where it lies */
  readonly dir: string;
  /** `never`: its record is of the kind that its folder is of, whichever that is */
  readonly folder: RunFolder<never>;
  readonly saved: Saved<never>;
}

const RECORD_FILES = RUN_FOLDERS.map(({ file }) => file).join(', ');

/**
 * Opens a run by its folder or by its record file.
 * @throws TheveninError file/missing, file/unreadable; report/record: no run lies there, or it is damaged; report/npy
 */
export async function openRun(run: string): Promise<OpenedRun> {
  const path = await recordPath(run);
  const folder = RUN_FOLDERS.find(({ file }) => file === basename(path)) ?? refuse('report/record', `${path} is no record of a run; records are called ${RECORD_FILES}`); // prettier-ignore
  const record = parseRecord(await readTextFile(path, 'the record of a run'), path);
  const problem = recordProblem(record, folder.schema);
  if (problem !== null)
    refuse(
      'report/record',
      `${path} does not fit its schema: ${problem}; it is damaged, or was written by another version of Thevenin`,
    );
  const checked = record as never; // its schema has been held to it
  const dir = dirname(path);
  const sidecars = await Promise.all(folder.sidecars(checked).map((described) => readSidecar(dir, described)));
  const lists = await Promise.all((folder.lists?.(checked) ?? []).map((list) => readList(dir, list)));
  return { dir, folder, saved: { record: checked, sidecars, lists } };
}

async function recordPath(run: string): Promise<string> {
  if (!(await isFolder(run))) return run;
  const names = new Set(await readdir(run));
  const [own, ...others] = RUN_FOLDERS.filter(({ file }) => names.has(file));
  if (own === undefined) return refuse('report/record', `${run} holds no run: there is none of ${RECORD_FILES} in it`);
  if (others.length > 0)
    return refuse(
      'report/record',
      `${run} holds several runs; name the record of one: ${[own, ...others].map(({ file }) => join(run, file)).join(', ')}`,
    );
  return join(run, own.file);
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch {
    return false; // reading it as a file says what is wrong
  }
}

function parseRecord(text: string, path: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    return refuse('report/record', `${path} is not JSON (${(error as Error).message}); get the file again`, error);
  }
}

async function readSidecar(dir: string, { axes, what, ...named }: SidecarRecord): Promise<Sidecar> {
  return { file: named.file, axes, what, ...decodeNpy(await readNamed(dir, named), join(dir, named.file)) };
}

async function readList(dir: string, named: Named): Promise<ListFile> {
  return { file: named.file, content: (await readNamed(dir, named)).toString('utf8') };
}

interface Named {
  readonly file: string;
  readonly sha256: string;
}

/** Its name is what a record says: it may not lead out of the folder. */
async function readNamed(dir: string, { file, sha256: digest }: Named): Promise<Buffer> {
  if (basename(file) !== file)
    refuse('report/record', `${dir}: a data file is called "${file}"; it lies in the folder itself`);
  const path = join(dir, file);
  const bytes = await readFile(path).catch((error: unknown) =>
    refuse('report/record', `${path} cannot be read; the record names it: get the whole folder again`, error),
  );
  if (sha256(bytes) !== digest)
    refuse('report/record', `${path} is not the file that the record names (its digest differs); get it again`);
  return bytes;
}
