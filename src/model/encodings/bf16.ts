import type { Encoding } from './types.js';

/** The upper half of a float32. */
export const bf16: Encoding = {
  name: 'BF16',
  blockElements: 1,
  blockBytes: 2,
  decode(bytes, out) {
    const bits = new Uint32Array(out.buffer, out.byteOffset, out.length);
    for (let i = 0; i < bits.length; i++) bits[i] = bytes.getUint16(2 * i, true) << 16;
  },
};
