/** A run's folder: sidecars, views, and the record last, so that a folder with a record is complete. */
import { open, readdir, readFile, rename, unlink } from 'node:fs/promises';
import path from 'node:path';
import { invariant, refuse } from '../errors.js';
import { encodeNpy } from './formats/npy.js';
import { recordFile } from './check.js';
import type { RunFolder } from './folders/types.js';
import { holds, manifestFile, readManifest, unchanged, type Manifest } from './manifest.js';
import { checkFolder, inTheWay, isOurs, makeFolders, withFolder, writing, type OutputRequest } from './output.js';
import { sha256 } from './sidecar.js';
import type { RenderedFile, Saved } from './view.js';

const encodeSidecars = <Kept extends object>(folder: RunFolder<Kept>, saved: Saved<Kept>): RenderedFile[] => {
  const described = folder.sidecars(saved.record);
  return saved.sidecars.map(({ file, data, shape }) => {
    const content = encodeNpy(data, shape);
    const own = described.find((one) => one.file === file);
    invariant(own?.sha256 === sha256(content), `the record's digest of ${file} is that of its data`);
    return { file, content };
  });
};

const listsOf = <Kept extends object>(folder: RunFolder<Kept>, { record, lists = [] }: Saved<Kept>): RenderedFile[] => {
  const described = folder.lists?.(record) ?? [];
  for (const { file, content } of lists) {
    const own = described.find((one) => one.file === file);
    invariant(own?.sha256 === sha256(Buffer.from(content)), `the record's digest of ${file} is that of its content`);
  }
  return [...lists];
};

/** What is drawn of a run. @throws report/record: a record of somebody else's names a file outside its folder */
export const renderViews = <Kept extends object>({ views }: RunFolder<Kept>, saved: Saved<Kept>): RenderedFile[] => {
  const files = views.flatMap((view) => view.render(saved));
  const outside = files.find(({ file }) => path.basename(file) !== file);
  if (outside) refuse('report/record', `a view would be called "${outside.file}", which is no name of a file`);
  return files;
};

/**
 * Writes a run's folder, each file whole or not at all, the record last. The run before, where there is one and it may be replaced, is
 * removed first, its record before the rest: a folder never holds one run's record and another's files.
 * Returns the paths written, pages first; none where there is no folder.
 * @throws TheveninError file/unwritable, file/exists
 */
export const writeRun = async <Kept extends object>(
  output: OutputRequest,
  folder: RunFolder<Kept>,
  saved: Saved<Kept>,
): Promise<string[]> => {
  if (output.out === undefined) return [];
  const last = recordFile(folder.file, saved.record, folder.schema);
  return writeAfresh(
    output.out,
    [...encodeSidecars(folder, saved), ...listsOf(folder, saved), ...renderViews(folder, saved), last],
    output,
  );
};

/** Draws a run elsewhere: views alone. Returns the paths written, pages first. @throws TheveninError file/unwritable, file/exists */
export const writeViews = async <Kept extends object>(
  output: OutputRequest & { readonly out: string },
  folder: RunFolder<Kept>,
  saved: Saved<Kept>,
): Promise<string[]> => writeAfresh(output.out, renderViews(folder, saved), output);

/**
 * Draws a run where it lies: its views are replaced where the manifest vouches for them, everything else stays as it is.
 * Returns the paths of all views, pages first.
 * @throws TheveninError file/unwritable, file/exists, file/in-use
 */
export const redraw = async <Kept extends object>(
  dir: string,
  folder: RunFolder<Kept>,
  saved: Saved<Kept>,
): Promise<string[]> =>
  withFolder(dir, async () => {
    const views = renderViews(folder, saved);
    const earlier = await readManifest(dir);
    const present = new Set(await readdir(dir));
    const mine = async (name: string): Promise<boolean> => earlier !== null && unchanged(dir, name, earlier);
    for (const view of views)
      if (present.has(view.file) && !(await holds(dir, view)) && !(await mine(view.file))) inTheWay(path.join(dir, view.file)); // prettier-ignore
    const read = async (file: string): Promise<RenderedFile> => ({
      file,
      content: await readFile(path.join(dir, file)),
    });
    const named = [...folder.sidecars(saved.record), ...(folder.lists?.(saved.record) ?? [])];
    const data = await Promise.all(named.map(({ file }) => read(file)));
    const other = folder.views
      .flatMap(({ files = [] }) => files)
      .filter((name) => views.every(({ file }) => file !== name));
    await removeTemporary(dir);
    for (const view of views) if (!(await holds(dir, view))) await writeWhole(dir, view);
    for (const name of other) if (await mine(name)) await remove(dir, name);
    await writeWhole(dir, manifestFile([...data, ...views, await read(folder.file)]));
    return pathsOf(dir, views);
  });

/** Into a folder that holds nothing of these names, but for a run that is replaced. */
const writeAfresh = async (
  dir: string,
  files: readonly RenderedFile[],
  { overwrite }: Pick<OutputRequest, 'overwrite'>,
): Promise<string[]> => {
  for (const { file } of files) invariant(isOurs(file), `${file} is a name that runs are known to write`);
  await makeFolders(dir);
  const earlier = await checkFolder(dir, { overwrite });
  await removeTemporary(dir);
  if (earlier) await removeRun(dir, earlier);
  for (const one of [manifestFile(files), ...files]) await writeWhole(dir, one);
  return pathsOf(dir, files);
};

const pathsOf = (dir: string, files: readonly RenderedFile[]): string[] =>
  files
    .map(({ file }) => path.join(dir, file))
    .sort((a, b) => Number(b.endsWith('.html')) - Number(a.endsWith('.html')));

const TEMPORARY = /^\..+\.thevenin-unfinished$/;

/** What a killed run was just writing. */
const removeTemporary = async (dir: string): Promise<void> => {
  for (const name of await writing(dir, () => readdir(dir))) if (TEMPORARY.test(name)) await remove(dir, name);
};

/** The record first, the manifest last, so that a process killed in between leaves what the next one knows to be unfinished. */
const removeRun = async (dir: string, run: Manifest): Promise<void> => {
  for (const name of [...run.digests.keys()].reverse()) if (await unchanged(dir, name, run)) await remove(dir, name);
  await remove(dir, run.file);
};

const remove = (dir: string, name: string): Promise<void> =>
  writing(path.join(dir, name), () => unlink(path.join(dir, name)));

/** Through a file of another name, which takes the right one when all of it is on the disk. */
const writeWhole = async (dir: string, { file, content }: RenderedFile): Promise<void> => {
  const target = path.join(dir, file);
  const temporary = path.join(dir, `.${file}.thevenin-unfinished`);
  await writing(target, async () => {
    try {
      const handle = await open(temporary, 'wx');
      try {
        await handle.writeFile(content);
        await handle.sync();
      } finally {
        await handle.close();
      }
      await rename(temporary, target);
    } catch (error) {
      await unlink(temporary).catch(() => undefined);
      throw error;
    }
  });
};
