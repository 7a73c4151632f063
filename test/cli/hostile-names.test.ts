/** Names that try to write on the terminal: shown, not obeyed, wherever a name of a task, a folder or a group is printed or written. */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { printable, printableLines, printableOutput } from '../../src/printable.js';
import { runCli, type Finished } from '../helpers/cli.js';
import { golden } from '../helpers/model-files.js';

/** clears the screen, sets the window's title, rings, begins a line, turns the direction */
const EVIL = 'x\u001b[2J\u001b]0;t\u0007\ncircuit verified\u202egpj';
const SHOWN = 'x\\u001b[2J\\u001b]0;t\\u0007\\u000acircuit verified\\u202egpj';
const RAW = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/; // eslint-disable-line no-control-regex

describe('what is printable', () => {
  it('a name: every control, end of line and mark of direction is shown as its code', () => {
    expect(printable(EVIL)).to.equal(SHOWN);
    expect(printable('\u009b31m \u2066 \u2028 é 東 🙂')).to.equal('\\u009b31m \\u2066 \\u2028 é 東 🙂');
  });

  it('a text keeps its lines, output its colours', () => {
    expect(printableLines('a\tb\nc\u0007')).to.equal('a\tb\nc\\u0007');
    expect(printableOutput('\u001b[31mred\u001b[39m\u001b[2J')).to.equal('\u001b[31mred\u001b[39m\\u001b[2J');
  });

  it('JSON in which it is shown says the same', () =>
    expect(JSON.parse(printableOutput(JSON.stringify({ name: EVIL })))).to.deep.equal({ name: EVIL }));
});

describe('a task and a folder with hostile names', () => {
  let folder: string;
  let model: string;
  before(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'thevenin-names-'));
    model = path.join(folder, EVIL.replace('/', ''));
    mkdirSync(model);
    for (const file of ['config.json', 'model.safetensors'])
      cpSync(`${golden('architectures/gpt2')}/${file}`, path.join(model, file));
    const pair = (clean: number[]) => ({ clean, corrupt: clean.with(1, 9), correct: 5, incorrect: 6, group: EVIL });
    const pairs = [pair([1, 2, 3, 4]), pair([7, 2, 3, 4]), pair([7, 8, 3, 4]), pair([3, 8, 2, 4]), pair([1, 2, 3, 4])];
    writeFileSync(
      path.join(folder, 'task.json'),
      JSON.stringify({ name: EVIL, metric: 'logit-difference', bos: false, pairs }),
    );
  });
  after(() => rmSync(folder, { recursive: true }));

  const task = (): string => path.join(folder, 'task.json');
  const clean = ({ stdout, stderr }: Finished): string => {
    expect(stdout + stderr).to.not.match(RAW);
    expect((stdout + stderr).split('\n').filter((line) => line.startsWith('circuit verified'))).to.deep.equal([]);
    return stdout + stderr;
  };

  it('validate', async () => expect(clean(await runCli(['validate', task(), '--model', model]))).to.include(SHOWN));

  it('discover, and every page that it writes', async () => {
    const out = path.join(folder, 'run');
    const words = ['discover', '--task', task(), '--model', model, '--method', 'eap', '--edges', '5', '--force'];
    const finished = await runCli([...words, '--no-split', '--out', out]);
    expect(finished.code, finished.stderr).to.equal(0);
    expect(clean(finished)).to.include(SHOWN);
    for (const page of ['report.md', 'report.html', 'circuit.svg']) {
      const text = readFileSync(path.join(out, page), 'utf8');
      expect(text, page).to.not.match(RAW);
      expect(text, page).to.include('u202egpj');
    }
  });

  it('a model that is not there', async () => {
    const finished = await runCli(['predict', 'a', '--model', path.join(folder, `${EVIL}.gguf`)]);
    expect(finished.code).to.equal(2);
    clean(finished);
  });
});
