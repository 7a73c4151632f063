import { halfAt } from './half.js';
import { blocksOf32 } from './types.js';

/** [scale: f16][16 bytes]: byte i holds value i (low nibble) and value i + 16 (high); value = scale · (q − 8). */
export const q4_0 = blocksOf32('Q4_0', 18, (bytes, at, out, to) => {
  const scale = halfAt(bytes, at);
  for (let i = 0; i < 16; i++) {
    const pair = bytes.getUint8(at + 2 + i);
    out[to + i] = scale * ((pair & 15) - 8);
    out[to + 16 + i] = scale * ((pair >> 4) - 8);
  }
});
