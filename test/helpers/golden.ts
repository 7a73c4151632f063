/** Committed outputs: a test compares with them, and writes them anew where UPDATE_GOLDENS=1 is set (review the difference). */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';

const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..', '..');

/** Holds `content` to be what the file (relative to the repository) has. */
export const expectGolden = (file: string, content: string): void => {
  const target = path.join(ROOT, file);
  if (process.env['UPDATE_GOLDENS'] === '1') {
    mkdirSync(path.dirname(target), { recursive: true });
    writeFileSync(target, content);
  }
  expect(existsSync(target), `${file} exists (UPDATE_GOLDENS=1 writes it)`).to.equal(true);
  expect(content).to.equal(readFileSync(target, 'utf8'));
};
