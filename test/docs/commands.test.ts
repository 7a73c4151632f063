/** The commands of pages: those that say so are run as they stand, all name options that there are. */
import { expect } from 'chai';
import { readFileSync, existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { optionsOf } from '../../src/cli/command.js';
import { COMMANDS } from '../../src/cli/commands/index.js';
import { runCli } from '../helpers/cli.js';
import { inTemporaryFolder } from '../helpers/model-files.js';
import { skipWithout } from '../helpers/shared.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const PAGES = [
  { file: 'docs/interventions.md', runnable: 3 },
  { file: 'docs/methods.md', runnable: 2 },
];

/** As a shell divides them: at spaces outside of double quotes. */
const words = (line: string): string[] => line.match(/"[^"]*"|\S+/g)!.map((word) => word.replaceAll('"', ''));

for (const { file, runnable } of PAGES) {
  const page = readFileSync(`${ROOT}${file}`, 'utf8');
  const run = [...page.matchAll(/^```sh run\n(.*?)^```/gms)].flatMap(([, lines]) => lines!.trim().split('\n'));

  describe(`the commands of ${file}`, () => {
    it('names only commands and options that there are', async () => {
      const lines = [...page.matchAll(/^(?: {4})?(thevenin .*)$/gm)].map(([, line]) => line!);
      expect(lines.length).to.be.greaterThan(10);
      for (const line of lines) {
        const [, name, ...rest] = words(line);
        const command = COMMANDS.find((one) => one.name === name);
        expect(command, line).not.to.equal(undefined);
        const flags = Object.values(await optionsOf(command!)).map((option) => option.flags.split(' ')[0]!);
        expect(flags, line).to.include.members(rest.filter((word) => word.startsWith('--')));
      }
    });

    it('has runnable commands that work as they stand', async function () {
      const models = existsSync(`${ROOT}models/ioi/config.json`) ? ROOT : null;
      skipWithout(this, models, 'the bundled models are not trained yet');
      expect(run).to.have.lengthOf.at.least(runnable);
      await inTemporaryFolder(async (cwd) => {
        for (const line of run) {
          const { code, stderr } = await runCli(words(line).slice(1), { cwd });
          expect(code, `${line}\n${stderr}`).to.equal(0);
        }
      });
    });
  });
}
