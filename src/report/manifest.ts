/**
 * SHA256SUMS: the names and digests of a run's files, in the order in which they are written, the record last. It is written before
 * them, so that what a killed run left is known too; a run is whole when its record is there. `sha256sum -c SHA256SUMS` checks it.
 */
import { lstat, readFile } from 'node:fs/promises';
import path from 'node:path';
import { sha256 } from './sidecar.js';
import type { RenderedFile } from './view.js';

const FILE = 'SHA256SUMS';
const HEADING = '# a run of thevenin; its record, which is written last, makes it whole';

export interface Manifest {
  /** its own name */
  readonly file: string;
  /** file → digest */
  readonly digests: ReadonlyMap<string, string>;
  /** the file that makes the run whole */
  readonly record: string;
  /** whether the record is there */
  readonly whole: boolean;
}

const bytesOf = (content: RenderedFile['content']): Uint8Array =>
  typeof content === 'string' ? Buffer.from(content) : content;

/** Of files in the order in which they are written, the record last. */
export const manifestFile = (files: readonly RenderedFile[]): RenderedFile => {
  const lines = files.map(({ file, content }) => `${sha256(bytesOf(content))}  ${file}`);
  return { file: FILE, content: `${[HEADING, ...lines].join('\n')}\n` };
};

/** The manifest of the run that a folder holds; null where there is none, or a file of that name that no run wrote. */
export async function readManifest(dir: string): Promise<Manifest | null> {
  const file = path.join(dir, FILE);
  if (!(await isPlainFile(file))) return null;
  const [heading, ...lines] = (await readFile(file, 'utf8')).trimEnd().split('\n');
  if (heading !== HEADING) return null;
  const entries = lines.flatMap((line) => {
    const [, digest, name] = /^([0-9a-f]{64}) {2}([^/\\]+)$/.exec(line) ?? [];
    return digest === undefined || name === undefined ? [] : [[name, digest] as const];
  });
  const [record] = entries.at(-1) ?? [''];
  const whole = record !== '' && (await isPlainFile(path.join(dir, record)));
  return { file: FILE, digests: new Map(entries), record, whole };
}

/** Whether there is a file of that name with these bytes, and no link to one. */
export async function holds(dir: string, { file, content }: RenderedFile): Promise<boolean> {
  const place = path.join(dir, file);
  return (await isPlainFile(place)) && (await readFile(place)).equals(bytesOf(content));
}

/** Whether a file is still, byte for byte, the one that the run wrote. */
export async function unchanged(dir: string, name: string, { digests }: Manifest): Promise<boolean> {
  const digest = digests.get(name);
  const file = path.join(dir, name);
  return digest !== undefined && (await isPlainFile(file)) && sha256(await readFile(file)) === digest;
}

/** No link, folder or pipe. */
const isPlainFile = async (file: string): Promise<boolean> => (await lstat(file).catch(() => null))?.isFile() === true;
