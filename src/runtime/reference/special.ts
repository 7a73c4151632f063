/** Functions that JavaScript lacks, to about the precision of a double. */

/** Above this, erf is 1 to the last bit. */
const ERF_IS_ONE = 6;
const SERIES_UP_TO = 2.5;

/** The error function. Series: Abramowitz & Stegun 7.1.6, all terms of one sign; beyond, the continued fraction 7.1.14. */
export function erf(x: number): number {
  const size = Math.abs(x);
  if (Number.isNaN(x)) return x;
  if (size >= ERF_IS_ONE) return Math.sign(x);
  return size < SERIES_UP_TO ? erfSeries(x) : Math.sign(x) * (1 - erfcFraction(size));
}

/** 2/√π · e^(−x²) · Σ 2ⁿ x^(2n+1) / (2n+1)!! */
function erfSeries(x: number): number {
  let term = x;
  let sum = x;
  for (let n = 1; Math.abs(term) > 1e-18 * Math.abs(sum); n++) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}

/** e^(−x²)/√π · 1/(x + ½/(x + 1/(x + 3⁄2/(x + …)))), from the inside out */
function erfcFraction(x: number): number {
  let tail = x;
  for (let n = 80; n >= 1; n--) tail = x + n / 2 / tail;
  return Math.exp(-x * x) / (Math.sqrt(Math.PI) * tail);
}

export const gelu = (x: number): number => 0.5 * x * (1 + erf(x * Math.SQRT1_2));

/** Hendrycks & Gimpel 2016, as GPT-2 computes it. */
export const geluTanh = (x: number): number =>
  0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)));

export const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
