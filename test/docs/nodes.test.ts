/** docs/nodes.md: its commands and its library code run as they stand. */
import { expect } from 'chai';
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runCli } from '../helpers/cli.js';
import { inTemporaryFolder } from '../helpers/model-files.js';
import { skipWithout } from '../helpers/shared.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const PAGE = readFileSync(`${ROOT}docs/nodes.md`, 'utf8');
const blocks = (language: string): string[] =>
  [...PAGE.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'gms'))].map(([, body]) => body!);

describe('docs/nodes.md', () => {
  const needModels = (context: Mocha.Context): string =>
    skipWithout(context, existsSync(`${ROOT}models/ioi`) ? `${ROOT}models/ioi` : null, 'no bundled models');

  for (const command of blocks('sh').flatMap((block) => block.trim().split('\n')))
    it(command, function () {
      needModels(this);
      return inTemporaryFolder(async (folder) => {
        const [, ...words] = command.split(' ');
        const out = words.indexOf('--out') + 1;
        words[out] = join(folder, words[out]!);
        const { code, stdout, stderr } = await runCli([...words, '--examples', '6']);
        expect(code, stderr).to.equal(0);
        expect(stdout).to.include('Correlation with exact effects').and.include('largest miss');
        expect(readdirSync(words[out])).to.include.members(['nodes.html', 'nodes.md', 'nodes.json']);
      });
    });

  it('has library code that runs', function () {
    needModels(this);
    return inTemporaryFolder(async (folder) => {
      const [snippet, ...others] = blocks('ts');
      expect(others).to.deep.equal([]);
      writeFileSync(join(folder, 'snippet.ts'), snippet!.replace("from 'thevenin'", `from '${ROOT}src/index.ts'`));
      writeFileSync(join(folder, 'package.json'), '{"type": "module"}');
      const words = ['--import', import.meta.resolve('tsx'), join(folder, 'snippet.ts')];
      const { status, stdout, stderr } = spawnSync(process.execPath, words, { encoding: 'utf8' });
      expect(status, stderr).to.equal(0);
      expect(stdout).to.match(/^neuron \d+: estimated \d.*, exact \d/);
      return Promise.resolve();
    });
  });
});
