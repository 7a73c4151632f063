import writeFileAtomic from 'write-file-atomic';
import { refuse } from '../../errors.js';

/** Writes a text file whole or not at all. @throws file/unwritable */
export async function writeText(path: string, text: string): Promise<void> {
  try {
    await writeFileAtomic(path, text);
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? String(error);
    refuse(
      'file/unwritable',
      `${path} cannot be written (${reason}); check the folder, its permissions and the disk's space`,
      error,
    );
  }
}

export const writeJson = (path: string, value: unknown): Promise<void> =>
  writeText(path, `${JSON.stringify(value, null, 1)}\n`);
