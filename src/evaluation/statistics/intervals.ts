/** Means with their intervals. */

/** A mean with its 95 % confidence interval (Student's t); low and high are null for fewer than two values. */
export interface Estimate {
  readonly mean: number;
  readonly low: number | null;
  readonly high: number | null;
  readonly count: number;
}

export const meanOf = (values: ArrayLike<number>): number => {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i] as number;
  return sum / values.length;
};

/** Pearson's correlation; null where either list does not vary. */
export function correlation(a: readonly number[], b: readonly number[]): number | null {
  const [meanA, meanB] = [meanOf(a), meanOf(b)];
  let [both, ofA, ofB] = [0, 0, 0];
  a.forEach((x, i) => {
    const [dx, dy] = [x - meanA, (b[i] as number) - meanB];
    both += dx * dy;
    ofA += dx * dx;
    ofB += dy * dy;
  });
  return ofA > 0 && ofB > 0 ? both / Math.sqrt(ofA * ofB) : null;
}

/** Spearman's: the correlation of ranks, equal values sharing theirs. */
export const rankCorrelation = (a: readonly number[], b: readonly number[]): number | null =>
  correlation(ranksOf(a), ranksOf(b));

function ranksOf(values: readonly number[]): number[] {
  const sorted = [...values].sort((x, y) => x - y);
  return values.map((value) => (sorted.indexOf(value) + sorted.lastIndexOf(value)) / 2);
}

export function estimateMean(values: ArrayLike<number>): Estimate {
  const count = values.length;
  const mean = meanOf(values);
  if (count < 2) return { mean, low: null, high: null, count };
  let squares = 0;
  for (let i = 0; i < count; i++) squares += ((values[i] as number) - mean) ** 2;
  const half = studentQuantile(0.975, count - 1) * Math.sqrt(squares / (count - 1) / count);
  return { mean, low: mean - half, high: mean + half, count };
}

/**
 * The share of values that are 1, with Wilson's score interval (1927): within 0 … 1, and of some width also where all are alike.
 */
export function estimateShare(values: ArrayLike<number>): Estimate {
  const count = values.length;
  const mean = meanOf(values);
  if (count < 2) return { mean, low: null, high: null, count };
  const z2 = NORMAL_QUANTILE ** 2;
  const centre = (mean + z2 / (2 * count)) / (1 + z2 / count);
  const half = (NORMAL_QUANTILE / (1 + z2 / count)) * Math.sqrt((mean * (1 - mean)) / count + z2 / (4 * count ** 2));
  return { mean, low: Math.max(0, centre - half), high: Math.min(1, centre + half), count };
}

/** z with P(Z ≤ z) = 0.975 */
const NORMAL_QUANTILE = 1.959963984540054;

/** The middle value; of an even number the mean of the two. */
export function medianOf(values: ArrayLike<number>): number {
  const sorted = Array.from(values).sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1
    ? (sorted[middle] as number)
    : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2;
}

/** t with P(T ≤ t) = p for `freedom` degrees, p > ½: bisection on the distribution function. */
export function studentQuantile(p: number, freedom: number): number {
  let [low, high] = [0, 1];
  while (studentCdf(high, freedom) < p) high *= 2;
  for (let i = 0; i < 100; i++) {
    const middle = (low + high) / 2;
    if (studentCdf(middle, freedom) < p) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** P(T ≤ t), t ≥ 0: 1 − ½ I_x(ν/2, ½) with x = ν / (ν + t²) (Abramowitz & Stegun 26.5.27). */
const studentCdf = (t: number, freedom: number): number =>
  1 - incompleteBeta(freedom / (freedom + t * t), freedom / 2, 0.5) / 2;

/** The regularised incomplete beta function I_x(a, b), by its continued fraction (A&S 26.5.8, Lentz's evaluation). */
function incompleteBeta(x: number, a: number, b: number): number {
  if (x <= 0 || x >= 1) return x <= 0 ? 0 : 1;
  const front = Math.exp(logGamma(a + b) - logGamma(a) - logGamma(b) + a * Math.log(x) + b * Math.log1p(-x));
  // the fraction converges fast on one side of the mean only
  return x < (a + 1) / (a + b + 2) ? (front * betaFraction(x, a, b)) / a : 1 - (front * betaFraction(1 - x, b, a)) / b;
}

function betaFraction(x: number, a: number, b: number): number {
  const tiny = 1e-300;
  const safe = (value: number): number => (Math.abs(value) < tiny ? tiny : value);
  let c = 1;
  let d = 1 / safe(1 - ((a + b) * x) / (a + 1));
  let fraction = d;
  for (let m = 1; m <= 500; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    let step = 1;
    for (const term of [even, odd]) {
      d = 1 / safe(1 + term * d);
      c = safe(1 + term / c);
      step = c * d;
      fraction *= step;
    }
    if (Math.abs(step - 1) < 1e-15) break;
  }
  return fraction;
}

/** ln Γ(x), x > 0 (Lanczos, g = 7, n = 9; about 1e-15). */
function logGamma(x: number): number {
  const coefficients = [
    0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059,
    12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
  ];
  const t = x + 6.5;
  const series = coefficients.reduce((sum, c, i) => (i === 0 ? c : sum + c / (x - 1 + i)), 0);
  return 0.5 * Math.log(2 * Math.PI) + (x - 0.5) * Math.log(t) - t + Math.log(series);
}
