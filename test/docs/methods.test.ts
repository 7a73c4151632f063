/** docs/methods.md says of every method what it computes, what it costs, when it fails, where it is from and how to run it. */
import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { COMMANDS } from '../../src/cli/commands/index.js';
import { METHODS } from '../../src/discovery/index.js';

const PAGE = readFileSync(fileURLToPath(new URL('../../docs/methods.md', import.meta.url)), 'utf8');
const sections = new Map(
  [...PAGE.matchAll(/^## `([a-z-]+)`\n(.*?)(?=^## |$(?![\s\S]))/gms)].map(([, key, text]) => [key!, text!]),
);
const flags = Object.values(COMMANDS.find(({ name }) => name === 'discover')!.options).map(
  (option) => option.flags.split(' ')[0],
);

describe('docs/methods.md', () => {
  it('has a section for every method of the registry, and no other', () =>
    expect([...sections.keys()]).to.have.members(METHODS.map(({ key }) => key)));

  for (const { key, reference } of METHODS)
    it(`${key}: a formula, the cost, when it fails, the reference and a command that the command line knows`, () => {
      const text = sections.get(key)!;
      expect(text, 'formula').to.match(/^ {4}\S/m);
      expect(text, 'cost').to.match(/^\*\*Cost\.\*\* /m);
      expect(text, 'failure').to.match(/^\*\*Fails\*\* /m);
      expect(text).to.contain(`\nReference: ${reference}\n`);
      const command = /^```sh\n(thevenin discover .*)\n```$/m.exec(text)?.[1] ?? '';
      expect(command).to.match(new RegExp(`--method ${key} `));
      expect(flags).to.include.members(command.match(/--[a-z-]+/g)!);
    });
});
