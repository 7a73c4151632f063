import { halfAt } from './half.js';
import { blocksOf32 } from './types.js';

/** [scale: f16][minimum: f16][16 bytes]: nibbles as in Q4_0; value = scale · q + minimum. */
export const q4_1 = blocksOf32('Q4_1', 20, (bytes, at, out, to) => {
  const scale = halfAt(bytes, at);
  const minimum = halfAt(bytes, at + 2);
  for (let i = 0; i < 16; i++) {
    const pair = bytes.getUint8(at + 4 + i);
    out[to + i] = scaleAndShift(scale, pair & 15, minimum);
    out[to + 16 + i] = scaleAndShift(scale, pair >> 4, minimum);
  }
});

/** float32 product, then float32 sum, as the peers compute it (one rounding more than a fused multiply-add). */
const scaleAndShift = (scale: number, q: number, minimum: number): number => Math.fround(scale * q) + minimum;
