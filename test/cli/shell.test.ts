import { expect } from 'chai';
import { COMMANDS } from '../../src/cli/commands/index.js';
import { packageVersion } from '../../src/package.js';
import { runCli } from '../helpers/cli.js';

const DISCOVER = ['discover', '--task', 'ioi', '--model', 'no/such/model', '--out', 'unused'];

/** One line, `thevenin: … [code]`, nothing on standard output. */
const refusal = async (...words: string[]): Promise<{ message: string; errorCode: string; exit: number | null }> => {
  const { code, stdout, stderr } = await runCli(words);
  const [, message = '', errorCode = ''] = /^thevenin: (.+) \[([a-z]+\/[a-z-]+)\]\n$/.exec(stderr) ?? [];
  expect(stdout).to.equal('');
  expect(message, stderr).not.to.equal('');
  return { message, errorCode, exit: code };
};

describe('thevenin', () => {
  it('prints its help, with every command and its summary, and exits with 0', async () => {
    const { code, stdout, stderr } = await runCli(['--help']);
    expect({ code, stderr }).to.deep.equal({ code: 0, stderr: '' });
    expect(stdout).to.match(/^Usage: thevenin /);
    const unwrapped = stdout.replace(/\s+/g, ' ');
    for (const { name, aliases, summary } of COMMANDS) {
      expect(stdout).to.match(new RegExp(`^  ${[name, ...aliases].join('\\|')} `, 'm'));
      expect(unwrapped).to.contain(summary);
    }
  });

  it('prints the help when nothing is asked', async () => {
    expect(await runCli([])).to.deep.equal(await runCli(['--help']));
  });

  it('prints the version of the package', async () => {
    expect(await runCli(['--version'])).to.deep.equal({ code: 0, stdout: `${packageVersion()}\n`, stderr: '' });
  });

  it('prints the options of a command with what they are when not given', async () => {
    const { code, stdout } = await runCli(['discover', '--help']);
    expect(code).to.equal(0);
    expect(stdout).to.match(/--method <key> .*\(default: "eap-ig"\)/);
    expect(stdout).to.match(/--steps <n>[\s\S]*?\(default: 5\)/);
  });

  it('refuses an unknown command and offers the nearest one', async () => {
    const { message, errorCode, exit } = await refusal('discver');
    expect({ errorCode, exit }).to.deep.equal({ errorCode: 'cli/usage', exit: 2 });
    expect(message).to.contain("'discver'").and.contain('discover');
  });

  it('refuses an unknown option', async () => {
    const { message, errorCode, exit } = await refusal(...DISCOVER, '--egdes', '5');
    expect({ errorCode, exit }).to.deep.equal({ errorCode: 'cli/usage', exit: 2 });
    expect(message).to.contain("'--egdes'").and.contain('--edges');
  });

  it('refuses a missing option and a surplus argument', async () => {
    expect((await refusal('discover', '--task', 'ioi', '--model', 'm')).message).to.contain("'--out <folder>'");
    expect((await refusal(...DISCOVER, 'surplus')).message).to.contain('too many arguments');
  });

  for (const [option, value, expected] of [
    ['--edges', '5.5', 'a whole number from 0 up'],
    ['--edges', '1e3', 'a whole number from 0 up'],
    ['--steps', '0', 'a whole number from 1 up'],
    ['--rule', 'middle', 'one of left, right, midpoint'],
    ['--by', 'size', 'one of absolute, signed'],
    ['--bos', 'yes', 'one of auto, true, false'],
    ['--memory', '4 gigs', 'an amount of memory such as 512MiB or 4GiB'],
    ['--threshold', '0.1x', 'a number'],
  ] as const) {
    it(`refuses ${option} ${value}, saying what it expects`, async () => {
      const { message, errorCode, exit } = await refusal(...DISCOVER, option, value);
      expect({ errorCode, exit }).to.deep.equal({ errorCode: 'cli/usage', exit: 2 });
      expect(message).to.contain(option).and.contain(`'${value}'`).and.contain(expected);
    });
  }
});
