/** One process at a time: a lock file that says who holds it, and that the death of its holder sets free. */
import { readFileSync, unlinkSync } from 'node:fs';
import { open, rename, unlink } from 'node:fs/promises';
import { hostname } from 'node:os';
import { refuse } from './errors.js';

export interface Lock {
  /** Gives it back. Happens by itself when the process ends, other than by SIGKILL. */
  release(): void;
}

interface Holder {
  readonly host: string;
  readonly pid: number;
  /** when the process began, in the kernel's own count; tells it from a later one of the same number; null: not known */
  readonly began: string | null;
  readonly since: string;
}

/** Locks that are given back or found stale while this one is taken. */
const ATTEMPTS = 10;

/**
 * Takes a lock, also one whose holder has died on this machine.
 * @param of what is locked, for the refusal
 * @throws TheveninError file/in-use: says who holds it; the file system's own error where the file cannot be made
 */
export async function takeLock(file: string, of: { readonly what: string; readonly instead: string }): Promise<Lock> {
  const self: Holder = {
    host: hostname(),
    pid: process.pid,
    began: began(process.pid),
    since: new Date().toISOString(),
  };
  const own = `${JSON.stringify(self)}\n`;
  for (let attempt = 0; !(await created(file, own)); attempt++) {
    const text = readOrNull(file); // null: given back just now, or a link to nowhere
    const holder = text === null ? null : parseHolder(text);
    if (attempt === ATTEMPTS || (text !== null && !isDead(holder))) refuse('file/in-use', inUse(file, holder, of));
    if (text !== null) await removeStale(file, text);
  }
  const release = (): void => {
    process.off('exit', release);
    if (readOrNull(file) === own) unlinkSync(file);
  };
  process.on('exit', release);
  return { release };
}

/** @throws every error but that there is one */
async function created(file: string, text: string): Promise<boolean> {
  try {
    const handle = await open(file, 'wx');
    try {
      await handle.writeFile(text);
    } finally {
      await handle.close();
    }
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** Moved aside first: of two processes that find the same stale lock, one moves it, and neither removes the other's new one. */
async function removeStale(file: string, stale: string): Promise<void> {
  const aside = `${file}.${process.pid}`;
  try {
    await rename(file, aside);
  } catch {
    return; // the other one was faster
  }
  if (readOrNull(aside) === stale) await unlink(aside);
  else await rename(aside, file);
}

const readOrNull = (file: string): string | null => {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return null;
  }
};

function parseHolder(text: string): Holder | null {
  try {
    const { host, pid, began, since } = JSON.parse(text) as Holder;
    const known = typeof host === 'string' && Number.isSafeInteger(pid) && pid > 0 && typeof since === 'string';
    return known ? { host, pid, began: typeof began === 'string' ? began : null, since } : null;
  } catch {
    return null;
  }
}

/** Only of this machine's processes can it be said. */
function isDead(holder: Holder | null): boolean {
  if (holder === null || holder.host !== hostname()) return false;
  try {
    process.kill(holder.pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
  const now = began(holder.pid);
  return now !== null && holder.began !== null && now !== holder.began;
}

/** The 22nd field of Linux's /proc/PID/stat, counted from behind the name, which may hold spaces and brackets. */
function began(pid: number): string | null {
  const stat = readOrNull(`/proc/${pid}/stat`);
  return stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? null;
}

function inUse(file: string, holder: Holder | null, { what, instead }: { what: string; instead: string }): string {
  const who = holder
    ? `process ${holder.pid} on ${holder.host}, since ${holder.since}`
    : 'a process that did not say which';
  return `${what} is in use by ${who}; wait until it has ended, or ${instead} (if no such process runs any more, remove ${file})`;
}
