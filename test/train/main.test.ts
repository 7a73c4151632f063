import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { loadModel } from '../../src/model/load.js';

const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..', '..');
const train = (...args: string[]): Promise<{ stdout: string; stderr: string }> =>
  promisify(execFile)(process.execPath, ['--import', 'tsx', 'src/train/main.ts', ...args], { cwd: ROOT });

describe('npm run train', () => {
  let out: string;
  beforeEach(() => {
    out = mkdtempSync(path.join(tmpdir(), 'thevenin-train-'));
  });
  afterEach(() => rmSync(out, { recursive: true }));

  it('writes a model that loads, with how it was made', async () => {
    await train('induction', '--steps', '5', '--out', out);
    expect(readdirSync(out).sort()).to.deep.equal(['loss.svg', 'model.json', 'model.safetensors', 'training.json']);
    const { config, tokenizer, dispose } = await loadModel(out);
    expect(config).to.include({ nLayers: 2, nHeads: 4, dMlp: 0, positional: 'rotary', norm: 'LN' });
    expect(tokenizer?.vocabSize).to.equal(config.dVocab);
    await dispose();
    const { schedule, curve } = JSON.parse(readFileSync(path.join(out, 'training.json'), 'utf8'));
    expect(schedule.steps).to.equal(5);
    expect(curve).to.have.length(5);
  });

  it('refuses what it does not know, in one line', async () => {
    const failure = await train('grokking').catch((error: { code: number; stderr: string }) => error);
    expect(failure).to.include({ code: 2 });
    expect(failure.stderr.trim()).to.match(
      /^unknown model grokking; expected npm run train -- induction\|ioi .*\(cli\/usage\)$/,
    );
  });
});
