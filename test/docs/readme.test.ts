import { expect } from 'chai';
import { spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { checkTask } from '../../src/task/check.js';
import { parseTask } from '../../src/task/schema.js';
import { configFor, textTokenizer } from '../task/tokenizers.js';
import { skipWithout } from '../helpers/shared.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const README = readFileSync(`${ROOT}README.md`, 'utf8');
const TSX = import.meta.resolve('tsx');

/** The contents of the fences that are marked `run`. */
const blocks = (language: string): string[] =>
  [...README.matchAll(new RegExp(`^\`\`\`${language} run\\n(.*?)^\`\`\``, 'gms'))].map(([, body]) => body!);

const run = (command: string, words: readonly string[], options: { cwd: string; path: string }) =>
  new Promise<{ code: number | null; output: string }>((resolve, reject) => {
    const env = { ...process.env, PATH: `${options.path}:${process.env['PATH'] ?? ''}`, NO_COLOR: '1' };
    const child = spawn(command, words, { cwd: options.cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, output }));
  });

describe('README', () => {
  let folder: string;
  let options: { cwd: string; path: string };

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'thevenin-readme-'));
    options = { cwd: folder, path: join(folder, 'bin') };
    mkdirSync(options.path);
    const shim = join(options.path, 'thevenin');
    writeFileSync(shim, `#!/bin/sh\nexec "${process.execPath}" --import "${TSX}" "${ROOT}src/cli/main.ts" "$@"\n`);
    chmodSync(shim, 0o755);
  });
  after(() => rmSync(folder, { recursive: true }));

  const needModels = (context: Mocha.Context): string => {
    const bundled = existsSync(`${ROOT}models/ioi/config.json`) ? `${ROOT}models/ioi` : null;
    return skipWithout(context, bundled, 'the bundled models are not trained yet');
  };

  it('has commands that work, one by one, as they stand', async function () {
    needModels(this);
    const commands = blocks('sh').flatMap((block) => block.split('\n').filter((line) => line.startsWith('thevenin')));
    expect(commands).to.have.lengthOf.at.least(5);
    for (const command of commands) {
      const { code, output } = await run('sh', ['-c', command], options);
      expect(code, `${command}\n${output}`).to.equal(0);
    }
    const record = JSON.parse(readFileSync(join(folder, 'my-run', 'report.json'), 'utf8'));
    expect(record.circuit.edgeCount).to.be.greaterThan(0);
  });

  it('has library code that runs as it stands', async function () {
    needModels(this);
    const [snippet, ...others] = blocks('ts');
    expect(others).to.deep.equal([]);
    const file = join(folder, 'snippet.ts');
    writeFileSync(file, snippet!.replace("from 'thevenin'", `from '${ROOT}src/index.ts'`));
    writeFileSync(join(folder, 'package.json'), '{"type": "module"}');
    const { code, output } = await run(process.execPath, ['--import', TSX, file], options);
    expect(code, output).to.equal(0);
    expect(output).to.match(/\d/);
  });

  it('shows a smallest task that can be run as it stands', () => {
    const [, text] = /^```json\n(\{\n {2}"name".*?)^```/ms.exec(README)!;
    const task = parseTask(JSON.parse(text!), 'README.md');
    const tokenizer = textTokenizer({ words: text!.match(/[A-Za-z]+/g)! });
    const context = { path: 'README.md', tokenizer, config: configFor(tokenizer), split: true, seed: 0 };
    const { findings, task: checked } = checkTask({ ...task, pairs: task.pairs! }, context);
    expect(findings).to.deep.equal([]);
    expect(checked!.splits).to.include({ whole: false });
  });

  it('names only files that exist', () => {
    const links = [...README.matchAll(/\]\(([\w./-]+)\)/g)].map(([, target]) => target!);
    expect(links).to.have.lengthOf.at.least(4);
    for (const link of links) expect(existsSync(`${ROOT}${link}`), link).to.equal(true);
  });
});
