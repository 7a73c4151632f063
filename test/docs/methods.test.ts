/** The pages of methods say of every method what it computes, what it costs, when it fails, where it is from and how to run it. */
import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { TOKEN_METHODS } from '../../src/attribution/tokens/index.js';
import { COMMANDS } from '../../src/cli/commands/index.js';
import { METHODS } from '../../src/attribution/edges/index.js';
import { NODE_METHODS } from '../../src/attribution/nodes/index.js';
import { optionsOf } from '../../src/cli/command.js';

const PAGES = [
  { file: 'docs/methods.md', command: 'discover', methods: METHODS },
  { file: 'docs/nodes.md', command: 'nodes', methods: NODE_METHODS },
  { file: 'docs/tokens.md', command: 'tokens', methods: TOKEN_METHODS },
];

for (const { file, command, methods } of PAGES) {
  const page = readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8');
  const sections = new Map(
    [...page.matchAll(/^## `([a-z-]+)`\n(.*?)(?=^## |$(?![\s\S]))/gms)].map(([, key, text]) => [key!, text!]),
  );
  const flags = Object.values(await optionsOf(COMMANDS.find(({ name }) => name === command)!)).map(
    (option) => option.flags.split(' ')[0],
  );

  describe(file, () => {
    it('has a section for every method of the registry, and no other', () =>
      expect([...sections.keys()]).to.have.members(methods.map(({ key }) => key)));

    for (const { key, reference } of methods)
      it(`${key}: a formula, the cost, when it fails, the reference and a command that the command line knows`, () => {
        const text = sections.get(key)!;
        expect(text, 'formula').to.match(/^ {4}\S/m);
        expect(text, 'cost').to.match(/^\*\*Cost\.\*\* /m);
        expect(text, 'failure').to.match(/^\*\*Fails\*\* /m);
        expect(text).to.contain(`\nReference: ${reference}\n`);
        const line = new RegExp(`^\`\`\`sh\\n(thevenin ${command} .*)\\n\`\`\`$`, 'm').exec(text)?.[1] ?? '';
        expect(line).to.match(new RegExp(`--method ${key}( |$)`));
        expect(flags).to.include.members(line.match(/--[a-z-]+/g)!);
      });
  });
}
