/** Whatever was thrown, as one line for a person and an exit code for a program. */
import { CommanderError } from 'commander';
import { TheveninError } from '../errors.js';
import { printable, printableLines } from '../printable.js';
import type { ErrorCode } from '../errors.js';

/** Operating-system errors that reach the shell without having been refused where they arose. */
const SYSTEM: Readonly<Record<string, { code: ErrorCode; advice: string }>> = {
  ENOENT: { code: 'file/missing', advice: 'no such file or folder' },
  ENOTDIR: { code: 'file/missing', advice: 'a part of the path is not a folder' },
  EISDIR: { code: 'file/unreadable', advice: 'it is a folder, a file was expected' },
  EACCES: { code: 'file/unreadable', advice: 'no permission' },
  ENOSPC: { code: 'file/unwritable', advice: 'the disk is full' },
  EDQUOT: { code: 'file/unwritable', advice: 'the disk quota is used up' },
  EROFS: { code: 'file/unwritable', advice: 'the file system is read-only' },
};
const WRITING = new Set(['mkdir', 'write', 'rename', 'unlink', 'fsync', 'ftruncate', 'chmod', 'chown']);

const oneLine = (message: string): string => message.replace(/\s*\n\s*/g, ' ').trim();

const fromSystem = (error: NodeJS.ErrnoException): TheveninError | undefined => {
  const known = SYSTEM[error.code ?? ''];
  if (known === undefined) return undefined;
  const code = known.code === 'file/unreadable' && WRITING.has(error.syscall ?? '') ? 'file/unwritable' : known.code;
  return new TheveninError(code, `${error.path ?? 'a file'}: ${known.advice}`, { cause: error });
};

const fromCommander = (error: CommanderError): TheveninError =>
  new TheveninError('cli/usage', oneLine(error.message.replace(/^error: /, '')), { cause: error });

/** Every failure as a catalogued one; what nobody foresaw is a fault of the program. */
export const asTheveninError = (thrown: unknown): TheveninError => {
  if (thrown instanceof TheveninError) return thrown;
  if (thrown instanceof CommanderError) return fromCommander(thrown);
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  return fromSystem(error) ?? new TheveninError('fault/internal', oneLine(error.message), { cause: error });
};

/** `thevenin: <message> [code]`, and with `verbose` the stack and its causes below. */
export const describeFailure = (error: TheveninError, verbose: boolean): string => {
  const line = `thevenin: ${printable(oneLine(error.message))} [${error.code}]`;
  if (!verbose) return line;
  const cause = error.cause instanceof Error ? `\ncaused by ${error.cause.stack ?? error.cause.message}` : '';
  return printableLines(`${line}\n${error.stack ?? ''}${cause}`);
};
