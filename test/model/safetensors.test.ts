import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { expect } from 'chai';
import fc from 'fast-check';
import { layout } from '../../src/model/layout.js';
import { openSafetensors, writeSafetensors } from '../../src/model/safetensors.js';
import { tensorStore } from '../../src/model/tensor-store.js';
import { floatBytes, inTemporaryFolder, refused, safetensorsBytes } from '../helpers/model-files.js';

const opened = (bytes: Buffer): Promise<string[]> =>
  inTemporaryFolder(async (folder) => {
    writeFileSync(`${folder}/model.safetensors`, bytes);
    const { file, tensors } = await openSafetensors(`${folder}/model.safetensors`);
    await file.close();
    return [...tensors.keys()];
  });

const f32 = (shape: number[], begin: number, end: number) => ({ dtype: 'F32', shape, data_offsets: [begin, end] });

describe('safetensors', () => {
  it('what is written is read back, bit for bit', () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.float32Array({ noNaN: true, noDefaultInfinity: true, minLength: 1, maxLength: 9 }), {
          minLength: 1,
          maxLength: 4,
        }),
        (arrays) =>
          inTemporaryFolder(async (folder) => {
            const tensors = Object.fromEntries(
              arrays.map((data, i) => [`tensor.${i}`, { shape: [data.length], data }]),
            );
            await writeSafetensors(`${folder}/a.safetensors`, tensors, { made: 'by hand' });
            const { file, tensors: stored } = await openSafetensors(`${folder}/a.safetensors`);
            const store = tensorStore(stored, [file]);
            for (const [name, { data }] of Object.entries(tensors))
              expect(await store.read(name, layout('n -> n', { sizes: { n: data.length } }))).to.deep.equal(data);
            await store.close();
          }),
      ),
      { seed: 11, numRuns: 25 },
    ));

  it('aligns the data and keeps the metadata', () =>
    inTemporaryFolder(async (folder) => {
      await writeSafetensors(`${folder}/a.safetensors`, { w: { shape: [1], data: Float32Array.of(7) } }, { task: 'x' });
      const bytes = readFileSync(`${folder}/a.safetensors`);
      const length = Number(bytes.readBigUInt64LE());
      expect((8 + length) % 8).to.equal(0);
      expect(bytes.readFloatLE(8 + length)).to.equal(7);
      expect(JSON.parse(bytes.toString('utf8', 8, 8 + length))).to.deep.include({ __metadata__: { task: 'x' } });
    }));

  it('writes nothing where the folder is missing', () =>
    inTemporaryFolder(async (folder) => {
      const path = `${folder}/none/a.safetensors`;
      const error: unknown = await writeSafetensors(path, {}).catch((reason: unknown) => reason);
      expect(error).to.have.property('code', 'file/unwritable');
      expect(existsSync(path)).to.equal(false);
    }));

  describe('every lie in the header is refused', () => {
    const data = floatBytes(1, 2, 3, 4);
    const lies: Record<string, [string | object, string]> = {
      'not an object': ['[]', "'{'"],
      'not JSON': ['{"a":', 'not JSON'],
      'a key twice': [
        '{"a":{"dtype":"F32","shape":[4],"data_offsets":[0,16]},"a":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}}',
        '"a" twice',
      ],
      'a key twice, once escaped': [
        '{"a":{"dtype":"F32","shape":[4],"data_offsets":[0,16]},"\\u0061":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}}',
        'twice',
      ],
      'an unknown dtype': [{ a: { ...f32([4], 0, 16), dtype: 'F33' } }, 'F33'],
      'a shape that needs other bytes': [{ a: f32([5], 0, 16) }, 'needs 20'],
      'a shape whose product overflows': [{ a: f32([2 ** 40, 2 ** 40], 0, 16) }, 'needs'],
      'a negative size': [{ a: f32([-4], 0, 16) }, 'shape'],
      'a size that is no number': [{ a: { ...f32([4], 0, 16), shape: ['4'] } }, 'shape'],
      'an end before the beginning': [{ a: f32([4], 16, 0) }, 'bytes'],
      'offsets beyond the file': [{ a: f32([8], 0, 32) }, 'cut short'],
      'a hole': [{ a: f32([1], 0, 4), b: f32([2], 8, 16) }, 'hole'],
      'an overlap': [{ a: f32([3], 0, 12), b: f32([2], 8, 16) }, 'overlap'],
      'bytes that belong to nothing': [{ a: f32([3], 0, 12) }, 'trailing'],
      'metadata that is not text': [{ __metadata__: { a: 1 }, a: f32([4], 0, 16) }, '__metadata__'],
      'an entry that is null': [{ a: null }, 'dtype'],
    };
    for (const [lie, [header, piece]] of Object.entries(lies))
      it(lie, () => refused(opened(safetensorsBytes(header, data)), 'weights/malformed', piece));

    it('a header longer than the file', () => {
      const bytes = safetensorsBytes({ a: f32([4], 0, 16) }, data);
      bytes.writeBigUInt64LE(2n ** 62n);
      return refused(opened(bytes), 'weights/malformed', 'claims');
    });

    it('a file of no more than a length', () => refused(opened(Buffer.alloc(8)), 'weights/malformed', '8 bytes'));
  });

  it('a tensor named __proto__ is a tensor like any other', async () => {
    const header = '{"__proto__":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}';
    expect(await opened(safetensorsBytes(header, floatBytes(1)))).to.deep.equal(['__proto__']);
  });

  it('a missing file is named', () =>
    refused(openSafetensors('/nowhere/model.safetensors'), 'file/missing', '/nowhere/model.safetensors'));

  it('a folder is not a file', () => refused(openSafetensors(tmpdir()), 'file/unreadable'));
});
