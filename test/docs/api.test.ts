/** docs/api is what typedoc makes of the library's entry (`npm run docs:api`). */
import { expect } from 'chai';
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { inTemporaryFolder } from '../helpers/model-files.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

const pagesOf = (folder: string): Record<string, string> =>
  Object.fromEntries(
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => [
        join(parentPath, name).slice(folder.length),
        readFileSync(join(parentPath, name), 'utf8'),
      ])
      .sort(),
  ) as Record<string, string>;

describe('docs/api', () => {
  it('is what typedoc writes', () =>
    inTemporaryFolder(async (folder) => {
      const typedoc = join(ROOT, 'node_modules/typedoc/bin/typedoc');
      const out = join(folder, 'api');
      const { status, stderr } = spawnSync(process.execPath, [typedoc, '--out', out, '--logLevel', 'Error'], {
        cwd: ROOT,
        encoding: 'utf8',
      });
      expect(status, stderr).to.equal(0);
      const [now, committed] = [pagesOf(out), pagesOf(join(ROOT, 'docs/api'))];
      expect(Object.keys(now)).to.deep.equal(Object.keys(committed));
      for (const [page, text] of Object.entries(now))
        expect(text === committed[page], `${page} (npm run docs:api)`).to.equal(true);
    }));
});
