import { halfAt } from './half.js';
import { blocksOf32 } from './types.js';

/** [scale: f16][32 high bits][16 bytes]: nibbles as in Q4_0, bit i is the fifth bit of value i; value = scale · (q − 16). */
export const q5_0 = blocksOf32('Q5_0', 22, (bytes, at, out, to) => {
  const scale = halfAt(bytes, at);
  const high = bytes.getUint32(at + 2, true);
  for (let i = 0; i < 16; i++) {
    const pair = bytes.getUint8(at + 6 + i);
    out[to + i] = scale * (((pair & 15) | (((high >>> i) & 1) << 4)) - 16);
    out[to + 16 + i] = scale * (((pair >> 4) | (((high >>> (i + 16)) & 1) << 4)) - 16);
  }
});
