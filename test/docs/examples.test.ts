/** The examples in the docstrings of the library run as they stand. */
import { expect } from 'chai';
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { inTemporaryFolder } from '../helpers/model-files.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const TSX = import.meta.resolve('tsx');
const FILES = ['index', 'engine/core/engine', 'engine/questions/session', 'engine/questions/questions'];

/** Contents of the `ts` fences below an @example, without the comment's stars. */
const examplesOf = (source: string): string[] =>
  [...source.matchAll(/^ \* @example\n \* ```ts\n(.*?)^ \* ```/gms)].map(([, body]) => body!.replace(/^ \* ?/gm, ''));

describe('docstrings', () => {
  for (const file of FILES)
    it(`src/${file}.ts has examples that run`, () =>
      inTemporaryFolder(async (folder) => {
        const examples = examplesOf(readFileSync(`${ROOT}src/${file}.ts`, 'utf8'));
        expect(examples).to.have.lengthOf.at.least(1);
        writeFileSync(join(folder, 'package.json'), '{"type": "module"}');
        for (const [i, example] of examples.entries()) {
          const script = join(folder, `example-${i}.ts`);
          writeFileSync(script, example.replace("from 'thevenin'", `from '${ROOT}src/index.ts'`));
          const words = ['--import', TSX, script];
          const { status, stdout, stderr } = spawnSync(process.execPath, words, { cwd: folder, encoding: 'utf8' });
          expect(status, stderr).to.equal(0);
          expect(stdout).to.match(/\d/);
        }
      }));
});
