/**
 * The one catalogue of error codes. Everything a user can do wrong, and every fault of the machine, has a stable code here;
 * `docs/errors.md` is generated from it.
 *
 * `exit` is the process's exit code: 2 = the input is at fault, 1 = the program or the machine is, 130 = interrupted.
 */
export const CATALOGUE = {
  'cli/usage': { exit: 2, summary: 'A command, option or value is not one that the command line knows.' },
  'cli/interrupted': { exit: 130, summary: 'The run was stopped with Ctrl-C; files already complete are kept.' },
  'file/missing': { exit: 2, summary: 'A file or folder that was named does not exist.' },
  'file/unreadable': { exit: 2, summary: 'A file exists but cannot be read (permission, or it is not a regular file).' },
  'file/unwritable': { exit: 1, summary: 'A result cannot be written: no permission, no such folder, or the disk is full.' },
  'fault/internal': { exit: 1, summary: 'A bug in Thevenin: please report it with the output of --verbose.' },
} as const satisfies Record<string, { exit: 1 | 2 | 130; summary: string }>;

export type ErrorCode = keyof typeof CATALOGUE;

/** One line for a user: what is wrong, where, what was expected, what to do. */
export class TheveninError extends Error {
  readonly code: ErrorCode;
  readonly exit: 1 | 2 | 130;

  constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'TheveninError';
    this.code = code;
    this.exit = CATALOGUE[code].exit;
  }
}

/** Throws a {@link TheveninError}; reads as a statement at the place where the input is refused. */
export const refuse = (code: ErrorCode, message: string, cause?: unknown): never => {
  throw new TheveninError(code, message, cause === undefined ? undefined : { cause });
};

/** Holds an invariant of our own; a failure is a bug, never the user's fault. */
export function invariant(condition: unknown, message: string): asserts condition {
  if (!condition) throw new TheveninError('fault/internal', message);
}
