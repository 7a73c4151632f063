import type { Repairs, Tf, TfTensor } from './types.js';

/** π in three parts of few bits, so that k·π is subtracted almost exactly (Cody and Waite, Software Manual, 1980). */
const PI_PARTS = [3.140625, 9.67502593994140625e-4, 1.509957990978376e-7];

/** 1/3!, −1/5! … of sin(r) = r − r³/3! + …; on |r| ≤ π/2 the first term left out is below 6e-8. */
const SINE = [-1 / 6, 1 / 120, -1 / 5040, 1 / 362_880, -1 / 39_916_800];

export function webgpuRepairs(tf: Tf): Repairs {
  /** sin(x − kπ) · (−1)^k */
  const sineAround = (x: TfTensor, k: TfTensor, parity: TfTensor): TfTensor => {
    const r = PI_PARTS.reduce((rest, part) => tf.sub(rest, tf.mul(k, part)), x);
    const square = tf.square(r);
    const series = [...SINE].reverse().reduce<TfTensor>((sum, term) => tf.add(tf.mul(sum, square), term), tf.scalar(0));
    const sine = tf.add(r, tf.mul(tf.mul(series, square), r));
    const sign = tf.sub(1, tf.mul(tf.sub(parity, tf.mul(tf.floor(tf.div(parity, 2)), 2)), 2));
    return tf.mul(sine, sign);
  };
  return {
    /** Its cast only relabels a buffer of booleans, and kernels that read it directly then do not compile. */
    toFloat: (x) => tf.add(tf.cast(x, 'float32'), 0),
    /** WGSL promises sin and cos to 2^-11 only. */
    sin: (x) => {
      const k = tf.round(tf.div(x, Math.PI));
      return sineAround(x, k, k);
    },
    /** cos x = sin(x + π/2) = −(−1)^j sin(x − (j + ½)π), j the nearest integer to x/π − ½ */
    cos: (x) => {
      const j = tf.round(tf.sub(tf.div(x, Math.PI), 0.5));
      return sineAround(x, tf.add(j, 0.5), tf.add(j, 1));
    },
  };
}
