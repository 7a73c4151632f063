import { refuse } from '../../errors.js';
import { readRegularFile } from '../../regular-file.js';

/**
 * The text of a file.
 * @param expected what it should hold, for whoever named another
 * @param otherwise what else could have been named where there is no such file
 * @throws TheveninError file/missing, file/unreadable
 */
export async function readTextFile(path: string, expected: string, otherwise = ''): Promise<string> {
  try {
    return await readRegularFile(path);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return code === 'ENOENT' || code === 'ENOTDIR'
      ? refuse('file/missing', `${path}: no such file; expected ${expected}${otherwise}`, error)
      : refuse('file/unreadable', `${path}: cannot be read (${code ?? message}); expected ${expected}`, error);
  }
}
