/** Pieces of norms, for ways back through them; among them norms whose divisor is a constant on the way back: the LN rule of relevance propagation (Ali et al. 2022, arXiv:2202.07304). */
import { isCentred, normalise, normAt, type Arithmetic, type NormName } from '../../model/blocks.js';
import * as p from '../../program/index.js';
import type { Value } from '../../program/index.js';

/** The same model, its norms already applied. */
export const withoutNorm = (arithmetic: Arithmetic): Arithmetic => ({
  ...arithmetic,
  config: { ...arithmetic.config, norm: null },
});

/** The norm of x with its divisor taken from `frozen`, the same values through which nothing goes back. */
export function frozenNormalise(
  x: Value,
  name: NormName,
  { arithmetic, frozen }: { arithmetic: Arithmetic; frozen: Value },
): Value {
  const { normEps, dModel } = arithmetic.config;
  if (normAt(name, arithmetic.config) === null) return x;
  const centred = (of: Value): Value => (isCentred(arithmetic) ? p.sub(of, p.mean(of, [-1], true)) : of);
  const around = centred(frozen);
  const divisor = p.sqrt(p.add(p.mean(p.mul(around, around), [-1], true), normEps));
  const scaled = p.mul(p.div(centred(x), divisor), p.parameter(`${name}.weight`, [dModel]));
  return isCentred(arithmetic) ? p.add(scaled, p.parameter(`${name}.bias`, [dModel])) : scaled;
}

/** The norm's derivative at x along a change: γ (Δ − mean(Δ) − x̂ mean(x̂ Δ)) / σ, x and Δ broadcast to each other. */
export function alongNorm(x: Value, change: Value, name: NormName, arithmetic: Arithmetic): Value {
  const { inverse, xHat, centre } = normalisedStream(x, arithmetic, name);
  if (inverse === null || xHat === null) return change;
  const centred = centre(change);
  const across = p.sub(centred, p.mul(xHat, p.mean(p.mul(xHat, centred), [-1], true)));
  return p.mul(p.mul(across, inverse), p.parameter(`${name}.weight`, [arithmetic.config.dModel]));
}

/** norm(sum + Δ) − norm(sum): what a change of the sum of writes changes in the stream that they are normed into. */
export const differenceBehindNorm = (sum: Value, change: Value, name: NormName, arithmetic: Arithmetic): Value =>
  p.sub(normalise(p.add(sum, change), name, arithmetic), normalise(sum, name, arithmetic));

/**
 * What a change of the sum of writes, [..., d], changes in the stream that they are normed into, for each unit of `amount`
 * [1]: (norm(sum + amount · Δ) − norm(sum)) / amount, or the derivative, which is its limit at 0.
 */
export function changeBehindNorm(
  sum: Value,
  change: Value,
  of: { name: NormName; linear: boolean; arithmetic: Arithmetic },
): Value {
  if (of.linear) return alongNorm(sum, change, of.name, of.arithmetic);
  const amount = p.reshape(p.input('amount', [1]), [1, 1, 1, 1]);
  return p.div(differenceBehindNorm(sum, p.mul(change, amount), of.name, of.arithmetic), amount);
}

/** 1/σ [questions, examples, pos, 1] and the normalised input x̂ [questions, examples, pos, d], null without a norm; and the norm's centring. */
export function normalisedStream(
  x: Value,
  arithmetic: Arithmetic,
  name: NormName,
): { inverse: Value | null; xHat: Value | null; centre(of: Value): Value } {
  const { config } = arithmetic;
  if (normAt(name, config) === null) return { inverse: null, xHat: null, centre: (of) => of };
  const centre = (of: Value): Value => (isCentred(arithmetic) ? p.sub(of, p.mean(of, [-1], true)) : of);
  const centred = centre(x);
  const inverse = p.div(1, p.sqrt(p.add(p.mean(p.mul(centred, centred), [-1], true), config.normEps)));
  return { inverse, xHat: p.mul(centred, inverse), centre };
}
