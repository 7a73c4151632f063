import { halfAt } from './half.js';
import { blocksOf32 } from './types.js';

/** [scale: f16][minimum: f16][32 high bits][16 bytes]: five bits as in Q5_0; value = scale · q + minimum. */
export const q5_1 = blocksOf32('Q5_1', 24, (bytes, at, out, to) => {
  const scale = halfAt(bytes, at);
  const minimum = halfAt(bytes, at + 2);
  const high = bytes.getUint32(at + 4, true);
  for (let i = 0; i < 16; i++) {
    const pair = bytes.getUint8(at + 8 + i);
    out[to + i] = Math.fround(scale * ((pair & 15) | (((high >>> i) & 1) << 4))) + minimum;
    out[to + 16 + i] = Math.fround(scale * ((pair >> 4) | (((high >>> (i + 16)) & 1) << 4))) + minimum;
  }
});
