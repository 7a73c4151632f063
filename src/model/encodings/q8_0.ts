import { halfAt } from './half.js';
import { blocksOf32 } from './types.js';

/** [scale: f16][32 × int8]: value = scale · q. */
export const q8_0 = blocksOf32('Q8_0', 34, (bytes, at, out, to) => {
  const scale = halfAt(bytes, at);
  for (let i = 0; i < 32; i++) out[to + i] = scale * bytes.getInt8(at + 2 + i);
});
