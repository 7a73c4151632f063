/** Which runtime to use. */
import { refuse, TheveninError } from '../errors.js';
import { choicesFor } from '../nearest.js';
import { probe } from './probe.js';
import { RUNTIMES, type RuntimeEntry } from './registry.js';
import type { Runtime, RuntimeOptions } from './types.js';

export { probeRuntimes } from './probe.js';
export { RUNTIMES } from './registry.js';
export type * from './types.js';

const DEFAULTS: RuntimeOptions = { threads: 0 };

/**
 * @param key of a runtime, or `auto`: the fastest that works here; `info.title` says which it is
 * @throws TheveninError runtime/unknown, runtime/unavailable (what is missing, and what to do)
 */
export async function createRuntime(key = 'auto', options: Partial<RuntimeOptions> = {}): Promise<Runtime> {
  const settings = { ...DEFAULTS, ...options };
  if (key === 'auto') return automatic(settings);
  const entry = RUNTIMES.find((one) => one.key === key);
  if (entry) return entry.create(settings);
  const keys = choicesFor(key, ['auto', ...RUNTIMES.map((one) => one.key)]);
  return refuse('runtime/unknown', `there is no runtime ${key}; the runtimes are ${keys}`);
}

async function automatic(options: RuntimeOptions): Promise<Runtime> {
  const reasons: string[] = [];
  for (const entry of RUNTIMES) {
    if (!(await isCandidate(entry))) continue;
    try {
      return await entry.create(options);
    } catch (error) {
      if (!(error instanceof TheveninError)) throw error;
      reasons.push(error.message);
    }
  }
  return refuse('runtime/unavailable', `no runtime works here: ${reasons.join('; ')}`);
}

/** A runtime that is only worth it on a graphics card is tried in a process of its own before it is loaded into this one. */
async function isCandidate(entry: RuntimeEntry): Promise<boolean> {
  if (entry.automatic === 'never') return false;
  if (entry.automatic === 'always' || entry.missing() !== null) return entry.missing() === null;
  const { works, onGpu } = await probe(entry);
  return works && onGpu;
}
