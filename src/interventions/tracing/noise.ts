/**
 * Normal numbers as `numpy.random.RandomState(seed).randn` draws them, so that noise is the very noise of published code: the
 * Mersenne Twister, 53-bit uniforms, and Marsaglia's polar method, which makes them in pairs and gives the second first.
 */
import { mersenne } from 'pure-rand/generator/mersenne';

/** An endless stream of standard normal numbers. */
export function* normals(seed: number): Generator<number, never> {
  const source = mersenne(seed);
  const bits = (): number => source.next() >>> 0;
  const uniform = (): number => {
    const [high, low] = [bits() >>> 5, bits() >>> 6];
    return (high * 2 ** 26 + low) / 2 ** 53;
  };
  for (;;) {
    const [x, y] = [2 * uniform() - 1, 2 * uniform() - 1];
    const square = x * x + y * y;
    if (square >= 1 || square === 0) continue;
    const scale = Math.sqrt((-2 * Math.log(square)) / square);
    yield scale * y;
    yield scale * x;
  }
}
