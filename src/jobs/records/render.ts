/** Draws a run again, from its record and sidecars alone. */
import { readFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { withOutput } from '../../report/output.js';
import { redraw, renderViews, writeViews } from '../../report/write.js';
import { openRun } from './open.js';

export interface Rendering {
  /** the run's kind: report, patching, nodes … */
  readonly kind: string;
  /** files drawn, the page first, and whether they were there with the same bytes */
  readonly files: readonly { readonly path: string; readonly asBefore: boolean }[];
}

/**
 * Redraws every page, picture and table of a run: no model is opened and nothing is computed. The record and its sidecars are
 * read, not written.
 * @param of `out`: folder for what is drawn, undefined: the run's own; `overwrite`: replaces the drawings, or the run, that it holds
 * @throws TheveninError report/record, report/npy, file/missing, file/unreadable, file/unwritable, file/exists, file/in-use
 */
export async function render(
  run: string,
  { out, overwrite }: { readonly out?: string | undefined; readonly overwrite?: boolean | undefined } = {},
): Promise<Rendering> {
  const { dir, folder, saved } = await openRun(run);
  const own = out === undefined || resolve(out) === resolve(dir);
  const target = own ? dir : out;
  const before = new Map<string, boolean>();
  for (const { file, content } of renderViews(folder, saved))
    before.set(file, await holds(join(target, file), Buffer.from(content as string)));
  const output = { out: target, overwrite };
  const written = own
    ? await redraw(dir, folder, saved)
    : await withOutput(output, () => writeViews(output, folder, saved));
  return {
    kind: folder.key,
    files: written.map((path) => ({ path, asBefore: before.get(basename(path)) === true })),
  };
}

const holds = async (path: string, content: Uint8Array): Promise<boolean> =>
  readFile(path).then(
    (there) => there.equals(content),
    () => false,
  );
