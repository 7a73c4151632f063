/** A method declares its own options: flag, check, docs and record are made of the declaration. */
import { expect } from 'chai';
import type { Command } from 'commander';
import { optionsTable } from '../../docs/generated.js';
import { METHODS } from '../../src/attribution/edges/index.js';
import { eap } from '../../src/attribution/edges/methods/gradient/eap.js';
import { edgeMethod } from '../../src/attribution/edges/types.js';
import { methodRecord } from '../../src/attribution/method.js';
import { NODE_METHODS } from '../../src/attribution/nodes/index.js';
import { choiceOption, numberOption, pickOptions, readOptions, sharedOptions } from '../../src/attribution/options.js';
import { TOKEN_METHODS } from '../../src/attribution/tokens/index.js';
import { toParser } from '../../src/cli/command.js';
import { discover } from '../../src/cli/commands/discovery/discover.js';
import { methodFlags } from '../../src/cli/method-options.js';
import { TheveninError } from '../../src/errors.js';

/** As a file of its own would export it. */
const mine = edgeMethod({
  key: 'mine',
  reference: 'nobody',
  direction: 'noising',
  run: (context) => eap.run({ ...context, options: {} }),
  options: {
    cutOff: numberOption('scores below it are none', { standard: 0.25 }),
    side: choiceOption('where from', { choices: ['left', 'right'], standard: 'left' }),
  },
  title: ({ cutOff, side }) => `mine from ${cutOff}, ${side}`,
  cost: ({ cutOff }) => ({ forwards: cutOff > 0 ? 3 : 2, backwards: 1 }),
});
const methods = [...METHODS, mine];

const parsed = async (words: readonly string[]): Promise<Readonly<Record<string, unknown>>> => {
  let given: Readonly<Record<string, unknown>> = {};
  const specs = { ...discover.options, ...methodFlags(methods, discover.options) };
  const parser = toParser(discover, specs, (_, command: Command) => {
    given = command.opts();
    return Promise.resolve();
  });
  const needed = ['--task', 'ioi', '--model', 'ioi', '--out', 'here', '--method', 'mine'];
  await parser
    .exitOverride()
    .configureOutput({ outputError: () => undefined })
    .parseAsync([...needed, ...words], { from: 'user' });
  return given;
};

describe('an option that a method declares', () => {
  it('is a flag of the command, with its default in the help and none in what was given', async () => {
    expect(await parsed([])).not.to.have.any.keys('cutOff', 'side');
    expect(await parsed(['--cut-off', '0.5', '--side', 'right'])).to.include({ cutOff: 0.5, side: 'right' });
    const help = toParser(discover, methodFlags(methods, discover.options), () => Promise.resolve()).helpInformation();
    expect(help.replaceAll(/\s+/g, ' '))
      .to.contain('--cut-off <x> mine: scores below it are none (default: 0.25)')
      .and.contain('--side <word> mine: where from (left, right) (default: "left")');
  });

  it('is read from the command line as its schema says', async () => {
    for (const words of [
      ['--cut-off', 'much'],
      ['--side', 'up'],
    ]) {
      const thrown = await parsed(words).then(
        () => null,
        (error: unknown) => error as Error,
      );
      expect(thrown?.message)
        .to.contain(words[0])
        .and.match(/number|one of left, right/);
    }
  });

  it('is filled with its default, and refused out of range, with what was expected', () => {
    expect(readOptions(mine, {}, { methods })).to.deep.equal({ cutOff: 0.25, side: 'left' });
    for (const [given, expected] of [
      [{ cutOff: NaN }, /^--cut-off NaN: expected a number/],
      [{ cutOff: 'much' }, /^--cut-off much: expected a number/],
      [{ side: 'up' }, /^--side up: expected left, right/],
    ] as const)
      expect(() => readOptions(mine, given, { methods }))
        .to.throw(TheveninError, expected)
        .with.property('code', 'attribution/option');
  });

  it('is refused with a method that has none such, naming those that have; unless something else reads it', () => {
    const given = { side: 'left' };
    expect(() => readOptions(eap, given, { methods }))
      .to.throw(TheveninError, 'eap has no option --side; mine has it')
      .with.property('code', 'attribution/option');
    expect(readOptions(eap, given, { methods, elsewhere: ['side'] })).to.deep.equal({});
  });

  it('stands in the table of the docs and in the record', () => {
    expect(optionsTable(methods)()).to.include.members([
      '| `--cut-off` | `mine` | scores below it are none | a number | `0.25` |',
      '| `--side` | `mine` | where from | left, right | `left` |',
    ]);
    expect(methodRecord(mine, readOptions(mine, { cutOff: 2 }, { methods }))).to.deep.include({
      title: 'mine from 2, left',
      options: { cutOff: 2, side: 'left' },
    });
  });
});

for (const [level, registry] of Object.entries({ edges: METHODS, nodes: NODE_METHODS, tokens: TOKEN_METHODS }))
  describe(`the options of methods of ${level}`, () => {
    it('have a default in their range, and a description of one line', () => {
      for (const method of registry) {
        expect(readOptions(method, {}, { methods: registry }), method.key).to.deep.equal(pickOptions(method));
        for (const { description } of Object.values(method.options)) expect(description).to.match(/^[^\n]{8,100}$/);
      }
    });

    it('mean the same in every method that has them', () => {
      for (const { key, schema, methods: having } of sharedOptions(registry))
        for (const one of registry.filter((method) => having.includes(method.key)))
          expect(one.options[key], `${one.key} ${key}`).to.deep.equal(schema);
    });
  });
