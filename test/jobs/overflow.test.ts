/**
 * Weights that are finite but too large for float32: no job answers with NaN, and none with what a norm makes of an overflow. Two
 * models: a tiny GPT-2 whose MLPs write so much that the square of a stream is beyond float32, and one whose logits are.
 */
import { mkdirSync, readFileSync, rmSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import { TheveninError } from '../../src/errors.js';
import { causalTrace, discover, nodes, patch, predict, scrub, steer, tokens, trace } from '../../src/index.js';
import { golden, refused, writeFiles } from '../helpers/model-files.js';

/** The tensors of a float32 safetensors file whose names match, times a factor. */
function scaled(bytes: Buffer, which: RegExp, factor: number): Buffer {
  const start = 8 + Number(bytes.readBigUInt64LE());
  const header = JSON.parse(bytes.subarray(8, start).toString()) as Record<string, { data_offsets: [number, number] }>;
  const out = Buffer.from(bytes);
  for (const [name, { data_offsets: offsets }] of Object.entries(header))
    if (which.test(name))
      for (let at = start + offsets[0]; at < start + offsets[1]; at += 4)
        out.writeFloatLE(out.readFloatLE(at) * factor, at);
  return out;
}

const MODEL = golden('architectures/gpt2');
const pair = (clean: number[]) => ({
  clean,
  corrupt: clean.with(1, 9),
  correct: 5,
  incorrect: 6,
  spans: { S: [1, 2] },
});
const TASK = {
  ...{ name: 'mine', metric: 'logit-difference', bos: false },
  pairs: [pair([1, 2, 3, 4]), pair([7, 2, 3, 4]), pair([7, 8, 3, 4]), pair([3, 8, 2, 4])],
};
const HYPOTHESIS = {
  name: 'mine',
  nodes: { out: { at: 'logits', reads: ['head'] }, head: { at: 'a2.h0', feature: [{ tokens: 'S' }] } },
};

describe('weights too large for float32', () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'thevenin-overflow-'));
    const weights = readFileSync(`${MODEL}/model.safetensors`);
    for (const [name, which, factor] of [
      ['sound', /^$/, 1],
      // stream ≈ 1e21: its square is infinite, what the norm makes of it is 0
      ['norm', /mlp\.c_proj\.weight$/, 1e22],
      // what logits are read from: 1e38 times what the embedding's columns say, in sums of 32, is infinite
      ['logits', /ln_f\.weight$/, 1e38],
    ] as const) {
      mkdirSync(path.join(folder, name));
      for (const file of ['config.json', 'tokenizer.json', 'tokenizer_config.json'])
        writeFileSync(path.join(folder, name, file), readFileSync(`${MODEL}/${file}`));
      writeFileSync(path.join(folder, name, 'model.safetensors'), scaled(weights, which, factor));
    }
    writeFiles(folder, {
      'task.json': TASK,
      'hypothesis.json': HYPOTHESIS,
      'facts.json': [{ prompt: 'the key is 12', subject: 'key', attribute: '12' }],
    });
  });
  after(() => rmSync(folder, { recursive: true }));

  const on = (model: string, runtime: string) => ({ model: path.join(folder, model), runtime });
  const given = (model: string, runtime: string) => ({ ...on(model, runtime), task: path.join(folder, 'task.json') });
  const JOBS: Readonly<Record<string, (model: string, runtime: string) => Promise<unknown>>> = {
    predict: (model, runtime) => predict({ ...on(model, runtime), prompt: [1, 2, 3], top: 2 }),
    discover: (model, runtime) =>
      discover({ ...given(model, runtime), method: 'eap', edges: 10, force: true, split: false }),
    'discover with learned masks': (model, runtime) =>
      discover({ ...given(model, runtime), method: 'subnetwork-probing', updates: 2, force: true, split: false }),
    patch: (model, runtime) => patch({ ...given(model, runtime), grid: 'z' }),
    nodes: (model, runtime) => nodes({ ...given(model, runtime), site: ['z'] }),
    tokens: (model, runtime) => tokens({ ...given(model, runtime), method: 'ig', steps: 2 }),
    trace: (model, runtime) => trace({ ...given(model, runtime), to: 'logits' }),
    scrub: (model, runtime) => scrub({ ...given(model, runtime), hypothesis: path.join(folder, 'hypothesis.json') }),
    steer: (model, runtime) => steer({ ...given(model, runtime), site: 'resid1.pre', tokens: 2 }),
    'causal-trace': (model, runtime) =>
      causalTrace({ ...on(model, runtime), facts: path.join(folder, 'facts.json'), examples: 1 }),
  };

  for (const [job, run] of Object.entries(JOBS)) {
    it(`${job}: a stream whose square no norm can hold is refused`, () =>
      refused(run('norm', 'onnx'), 'engine/overflow', 'residual stream', '--runtime reference'));
    it(`${job}: logits that are no numbers are refused`, () =>
      refused(run('logits', 'onnx'), 'engine/overflow', 'too large for float32', '--runtime reference'));
  }

  it('the float64 runtime holds both, and says other than a norm that has overflowed', async () => {
    const first = async (model: string): Promise<number> => {
      const { top } = (await JOBS['predict']!(model, 'reference')) as Awaited<ReturnType<typeof predict>>;
      expect(top.every(({ logprob }) => Number.isFinite(logprob))).to.equal(true);
      return Math.exp(top[0]!.logprob);
    };
    expect(await first('norm')).to.be.above(0.005);
    expect(await first('logits')).to.be.closeTo(1, 1e-12);
  });

  it('any one weight made as large as a float32 can be: a distribution, or a refusal', () => {
    const sound = readFileSync(`${MODEL}/model.safetensors`);
    const start = 8 + Number(sound.readBigUInt64LE());
    const place = fc.nat((sound.length - start) / 4 - 1);
    const size = fc.constantFrom(1e15, -1e18, 1e20, -1e30, 3.4e38, -3.4e38);
    const victim = path.join(folder, 'sound');
    const law = fc.asyncProperty(fc.array(fc.tuple(place, size), { minLength: 1, maxLength: 3 }), async (changes) => {
      const bytes = Buffer.from(sound);
      for (const [at, value] of changes) bytes.writeFloatLE(value, start + 4 * at);
      writeFileSync(path.join(victim, 'model.safetensors'), bytes);
      try {
        const { top } = await predict({ model: victim, runtime: 'onnx', prompt: [1, 2, 3], top: 320 });
        expect(top.reduce((sum, { logprob }) => sum + Math.exp(logprob), 0)).to.be.closeTo(1, 1e-3);
      } catch (error) {
        if (!(error instanceof TheveninError) || error.code !== 'engine/overflow') throw error;
      }
    });
    return fc
      .assert(law, { seed: 41, numRuns: 40 })
      .finally(() => writeFileSync(path.join(victim, 'model.safetensors'), sound));
  });

  it('a sound model is none the worse', async () => {
    // the model knows no facts that could be traced
    const others = Object.entries(JOBS).filter(([job]) => job !== 'causal-trace');
    for (const [, run] of others) await run('sound', 'onnx');
  });
});
