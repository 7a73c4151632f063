import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { refuse } from '../errors.js';
import { openRegularFile } from '../regular-file.js';

/** A file that is read piece by piece, never whole. */
export interface RangeFile {
  readonly path: string;
  readonly size: number;
  /** Exactly `length` bytes from `offset`. */
  read(offset: number, length: number): Promise<Buffer>;
  close(): Promise<void>;
}

/** @throws file/missing, file/unreadable */
export const openRangeFile = async (path: string): Promise<RangeFile> => {
  const { handle, size } = await openRegularFile(path).catch((error: unknown) => refuseFile(path, error));
  return {
    path,
    size,
    async read(offset, length) {
      const bytes = Buffer.allocUnsafe(length);
      for (let done = 0; done < length;) {
        const { bytesRead } = await handle
          .read(bytes, done, length - done, offset + done)
          .catch((error: unknown) => refuseFile(path, error));
        if (bytesRead === 0)
          refuse('weights/malformed', `${path} ends before byte ${offset + length}; get the file again`);
        done += bytesRead;
      }
      return bytes;
    },
    close: () => handle.close(),
  };
};

/** Turns a file system error into the user's. @throws file/missing, file/unreadable */
export const refuseFile = (path: string, error: unknown): never => {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === 'ENOENT' || code === 'ENOTDIR')
    return refuse('file/missing', `${path} does not exist; check the path`, error);
  return refuse('file/unreadable', `${path} cannot be read (${code ?? String(error)}); check its permissions`, error);
};

/** SHA-256, hex, over the files one after the other, streamed. */
export const digestFiles = async (paths: readonly string[]): Promise<string> => {
  const hash = createHash('sha256');
  for (const path of paths) {
    try {
      for await (const piece of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(piece as Buffer);
    } catch (error) {
      refuseFile(path, error);
    }
  }
  return hash.digest('hex');
};
