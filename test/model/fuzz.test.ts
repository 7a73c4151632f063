import { readFileSync, writeFileSync } from 'node:fs';
import { expect } from 'chai';
import fc from 'fast-check';
import { TheveninError } from '../../src/errors.js';
import { loadModel } from '../../src/model/load.js';
import { golden, inTemporaryFolder } from '../helpers/model-files.js';

/**
 * Loads the model and reads every weight. Either all of it works out, with as many finite values as the shapes say, or it is
 * refused; nothing else may be thrown.
 */
const outcome = async (path: string, text = ''): Promise<'loaded' | 'refused'> => {
  try {
    const model = await loadModel(path);
    try {
      for (const [name, shape] of model.weights.shapes) {
        const values = await model.weights.read(name);
        expect(values.length).to.equal(shape.reduce((product, size) => product * size, 1));
        expect(values.every(Number.isFinite)).to.equal(true);
      }
      const { tokenizer, config } = model;
      if (tokenizer) {
        const ids = tokenizer.encode(text);
        expect(ids.every((id) => Number.isInteger(id) && id >= 0 && id < config.dVocab)).to.equal(true);
        expect(tokenizer.decode(ids)).to.be.a('string');
      }
    } finally {
      await model.dispose();
    }
    return 'loaded';
  } catch (error) {
    if (!(error instanceof TheveninError) || error.code === 'fault/internal') throw error;
    expect(error.message).to.not.include('\n');
    return 'refused';
  }
};

interface Victim {
  readonly file: string;
  /** bytes at the beginning in which damage matters most */
  readonly header: number;
  readonly beside: Readonly<Record<string, string>>;
  /** something its tokenizer can write */
  readonly text?: string;
}

const safetensorsHeader = (path: string): number => 8 + Number(readFileSync(path).readBigUInt64LE());

const VICTIMS: Readonly<Record<string, Victim>> = {
  'a Hugging Face folder (safetensors)': {
    file: golden('architectures/gpt2/model.safetensors'),
    header: safetensorsHeader(golden('architectures/gpt2/model.safetensors')),
    beside: { 'config.json': golden('architectures/gpt2/config.json') },
  },
  'a plain container (safetensors)': {
    file: golden('ground-truth/or-gate/model.safetensors'),
    header: safetensorsHeader(golden('ground-truth/or-gate/model.safetensors')),
    beside: { 'model.json': golden('ground-truth/or-gate/model.json') },
    text: '<bos> a h',
  },
  'a GGUF file': {
    file: golden('architectures/llama-gguf/llama-Q4_1.gguf'),
    header: 7000,
    beside: {},
    text: 'the key is 12',
  },
  'a GGUF file of GPT-2': {
    file: golden('architectures/gpt2-gguf/gpt2-Q8_0.gguf'),
    header: 7000,
    beside: {},
    text: 'the key is 12',
  },
};

const nameOf = (file: string): string => file.slice(file.lastIndexOf('/') + 1);

describe('damaged files: a load with the right shapes, or a refusal', () => {
  for (const [what, { file, header, beside, text }] of Object.entries(VICTIMS)) {
    const sound = readFileSync(file);
    const trying = (bytes: Buffer): Promise<'loaded' | 'refused'> =>
      inTemporaryFolder((folder) => {
        for (const [name, source] of Object.entries(beside)) writeFileSync(`${folder}/${name}`, readFileSync(source));
        writeFileSync(`${folder}/${nameOf(file)}`, bytes);
        return outcome(folder, text);
      });

    describe(what, () => {
      it('undamaged, it loads', async () => expect(await trying(sound)).to.equal('loaded'));

      it('cut short anywhere, it is refused', () => {
        const length = fc.oneof(fc.nat(sound.length - 1), fc.nat(header));
        const law = fc.asyncProperty(length, async (size) => {
          // at the very end there may be nothing but padding
          expect(await trying(sound.subarray(0, Math.min(size, sound.length - 32)))).to.equal('refused');
        });
        return fc.assert(law, { seed: 21, numRuns: 60 });
      });

      it('with bytes of the header changed', () => {
        const change = fc.tuple(fc.nat(header - 1), fc.nat(255));
        const law = fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 4 }), async (changes) => {
          const bytes = Buffer.from(sound);
          for (const [at, value] of changes) bytes[at] = value;
          await trying(bytes);
        });
        return fc.assert(law, { seed: 22, numRuns: 250 });
      });

      it('with huge or negative numbers written over the header', () => {
        const value = fc.oneof(
          fc.bigInt(0n, 2n ** 64n - 1n),
          fc.constantFrom(2n ** 63n, 2n ** 53n, 2n ** 40n, 2n ** 32n, 2n ** 31n, 0n),
        );
        const law = fc.asyncProperty(fc.nat(header - 8), value, async (at, number) => {
          const bytes = Buffer.from(sound);
          bytes.writeBigUInt64LE(number, at);
          await trying(bytes);
        });
        return fc.assert(law, { seed: 23, numRuns: 150 });
      });

      it('with a stretch of bytes repeated, left out or moved', () => {
        const law = fc.asyncProperty(
          fc.nat(header),
          fc.nat(header),
          fc.nat(64),
          fc.nat(64),
          async (from, to, take, drop) => {
            const piece = sound.subarray(from, from + take);
            await trying(Buffer.concat([sound.subarray(0, to), piece, sound.subarray(to + drop)]));
          },
        );
        return fc.assert(law, { seed: 24, numRuns: 100 });
      });
    });
  }

  it('a config.json with any one value changed', () => {
    const config = JSON.parse(readFileSync(golden('architectures/llama/config.json'), 'utf8')) as Record<
      string,
      unknown
    >;
    const value = fc.oneof(
      fc.jsonValue({ maxDepth: 1 }),
      fc.constantFrom(0, -1, 1e7, 1e9, 1e300, null, '', 'gpt2', {}, []),
    );
    const law = fc.asyncProperty(fc.constantFrom(...Object.keys(config)), value, (key, changed) =>
      inTemporaryFolder(async (folder) => {
        writeFileSync(`${folder}/model.safetensors`, readFileSync(golden('architectures/llama/model.safetensors')));
        writeFileSync(`${folder}/config.json`, JSON.stringify({ ...config, [key]: changed }));
        await outcome(folder);
      }),
    );
    return fc.assert(law, { seed: 25, numRuns: 150 });
  });
});
