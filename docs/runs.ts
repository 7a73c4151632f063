/** Runs that are committed. What is drawn of them is a function of their records: `npm run docs` draws it, a test holds it equal. */
import { readdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { RUN_FOLDERS } from '../src/report/folders/index.js';

const ROOT = fileURLToPath(new URL('../', import.meta.url));
const RECORDS = RUN_FOLDERS.map(({ file }) => file);

/** Their folders, from the repository's root. */
export const COMMITTED_RUNS: readonly string[] = ['reports', 'test/goldens/runs'].flatMap((folder) =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => RECORDS.includes(basename(file)))
    .map((file) => join(folder, dirname(file)))
    .sort(),
);
