/** Opening what a user named: only regular files, and without waiting for whoever might write into a pipe. */
import { constants } from 'node:fs';
import type { Stats } from 'node:fs';
import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';

/** What a file system entry is that is no regular file. */
const kindOf = (stats: Stats): string => {
  if (stats.isDirectory()) return 'a folder';
  if (stats.isFIFO()) return 'a pipe';
  return stats.isSocket() ? 'a socket' : 'a device';
};

/**
 * Opens a regular file for reading; whoever calls closes it. Opening a pipe waits for its writer, for ever where there is none,
 * and a device has no end: O_NONBLOCK opens either at once, so that it can be seen for what it is and refused.
 *
 * @throws the system's error, or one whose `code` says what the entry is
 */
export const openRegularFile = async (path: string): Promise<{ handle: FileHandle; size: number }> => {
  const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const stats = await handle.stat();
  if (stats.isFile()) return { handle, size: stats.size };
  await handle.close();
  throw Object.assign(new Error(`${path} is no regular file`), { code: `${kindOf(stats)}, not a regular file` });
};

/** The text of a regular file. @throws as {@link openRegularFile} */
export const readRegularFile = async (path: string): Promise<string> => {
  const { handle } = await openRegularFile(path);
  try {
    return await handle.readFile('utf8');
  } finally {
    await handle.close();
  }
};
