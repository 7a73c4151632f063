/** Finds files that lie outside the repository; tests that need them are skipped, with the reason, where they are absent. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Context } from 'mocha';

const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..', '..');

/** A file under the shared folder (THEVENIN_SHARED, else ../shared beside the repository), or null when it is not there. */
export const sharedPath = (...parts: string[]): string | null => {
  const base = process.env['THEVENIN_SHARED'] ?? path.join(ROOT, '..', 'shared');
  const file = path.join(base, ...parts);
  return existsSync(file) ? file : null;
};

/** The folder that holds SmolLM2-135M-Instruct (THEVENIN_SMOLLM2, else .cache/smollm2), or null when it is not there. */
export const smollm2Dir = (): string | null => {
  const dir = process.env['THEVENIN_SMOLLM2'] ?? path.join(ROOT, '.cache', 'smollm2');
  return existsSync(dir) ? dir : null;
};

/** Skips the running test, or from a hook its suite, naming the reason in the title, unless `file` is there; returns the file otherwise. */
export const skipWithout = (context: Context, file: string | null, reason: string): string => {
  if (file !== null) return file;
  const { test } = context;
  test?.parent?.eachTest((one) => {
    const alone = test.parent?.tests.some((other) => other === test);
    if (one === test || !alone) one.title += ` (skipped: ${reason})`; // a hook skips its whole suite
  });
  return context.skip();
};
