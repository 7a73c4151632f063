import { expect } from 'chai';
import fc from 'fast-check';
import { ENCODINGS } from '../../src/model/encodings/index.js';
import { openGguf } from '../../src/model/gguf/header.js';
import { layout } from '../../src/model/layout.js';
import { tensorStore } from '../../src/model/tensor-store.js';
import { golden, refused } from '../helpers/model-files.js';
import { readTensor } from '../helpers/safetensors.js';

const decode = (name: string, bytes: Uint8Array): Float32Array => {
  const encoding = ENCODINGS.get(name)!;
  const out = new Float32Array((bytes.length / encoding.blockBytes) * encoding.blockElements);
  encoding.decode(new DataView(bytes.buffer, bytes.byteOffset, bytes.length), out);
  return out;
};

describe('encodings: number formats widened to float32', () => {
  it('F16: 1, -2, the largest, the smallest subnormal, infinities', () => {
    const halves = Uint16Array.of(0x3c00, 0xc000, 0x7bff, 0x0001, 0x8001, 0x7c00, 0xfc00);
    const values = decode('F16', new Uint8Array(halves.buffer));
    expect([...values]).to.deep.equal([1, -2, 65504, 2 ** -24, -(2 ** -24), Infinity, -Infinity]);
    expect(decode('F16', new Uint8Array(Uint16Array.of(0x7e00).buffer))[0]).to.be.NaN;
  });

  it('BF16 is the upper half of a float32', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 0x7f7f }), fc.boolean(), (bits, negative) => {
        const word = Uint32Array.of(((bits | (negative ? 0x8000 : 0)) << 16) >>> 0);
        const expected = new Float32Array(word.buffer)[0];
        expect(decode('BF16', new Uint8Array(word.buffer, 2, 2))[0]).to.equal(expected);
      }),
      { seed: 1 },
    );
  });

  it('F64, I32 and I64 are rounded to float32', () => {
    expect([...decode('F64', new Uint8Array(Float64Array.of(0.1, -3).buffer))]).to.deep.equal([Math.fround(0.1), -3]);
    expect([...decode('I32', new Uint8Array(Int32Array.of(-7, 1 << 24).buffer))]).to.deep.equal([-7, 1 << 24]);
    expect([...decode('I64', new Uint8Array(BigInt64Array.of(-7n, 9n).buffer))]).to.deep.equal([-7, 9]);
  });

  it('Q4_0: scale 2, nibbles 0 and 15 are -16 and 14', () => {
    const block = new Uint8Array(18).fill(0x88); // 8 is zero
    block.set([0x00, 0x40, 0xf0]); // scale 2; value 0 has nibble 0, value 16 nibble 15
    const values = decode('Q4_0', block);
    expect([values[0], values[16]]).to.deep.equal([-16, 14]);
    expect(values.filter((value) => value !== 0)).to.have.length(2);
  });

  it('Q8_0: scale 0.5 times signed bytes', () => {
    const block = new Uint8Array(34);
    block.set([0x00, 0x38, 0x80, 0x7f]);
    expect([...decode('Q8_0', block).slice(0, 3)]).to.deep.equal([-64, 63.5, 0]);
  });

  it('Q5_1: the fifth bit and the minimum', () => {
    const block = new Uint8Array(24);
    block.set([0x00, 0x3c, 0x00, 0xc0, 0x01, 0x00, 0x01, 0x00]); // scale 1, minimum -2, fifth bit of values 0 and 16
    const values = decode('Q5_1', block);
    expect([values[0], values[1], values[16]]).to.deep.equal([14, -2, 14]);
  });

  describe("gguf-blocks: random blocks of every type, against the gguf library's values", () => {
    const read = async (type: string): Promise<Float32Array> => {
      const { file, tensors } = await openGguf(golden('architectures/gguf-blocks/blocks.gguf'));
      const store = tensorStore(tensors, [file]);
      try {
        return await store.read(type, layout('r c -> r c', { sizes: { r: 3, c: 512 } }));
      } finally {
        await store.close();
      }
    };

    for (const type of ['Q8_0', 'Q4_0', 'Q4_1', 'Q5_0', 'Q5_1'])
      it(`${type} to the last bit`, async () => {
        const expected = readTensor(golden('architectures/gguf-blocks/golden.safetensors'), type);
        expect(await read(type)).to.deep.equal(expected);
      });

    for (const type of ['Q2_K', 'Q4_K', 'Q6_K', 'IQ4_XS', 'MXFP4', 'TQ1_0'])
      it(`${type} is refused by name`, () => refused(read(type), 'weights/type', `stored as ${type}`, 'Q4_1'));
  });
});
