/** Pieces of norms, for ways back through them; among them norms whose divisor is a constant on the way back: the LN rule of relevance propagation (Ali et al. 2022, arXiv:2202.07304). */
import { isCentred, type Arithmetic, type NormName } from '../../model/blocks.js';
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
  const { norm, normEps, dModel } = arithmetic.config;
  if (norm === null) return x;
  const centred = (of: Value): Value => (isCentred(arithmetic) ? p.sub(of, p.mean(of, [-1], true)) : of);
  const around = centred(frozen);
  const divisor = p.sqrt(p.add(p.mean(p.mul(around, around), [-1], true), normEps));
  const scaled = p.mul(p.div(centred(x), divisor), p.parameter(`${name}.weight`, [dModel]));
  return isCentred(arithmetic) ? p.add(scaled, p.parameter(`${name}.bias`, [dModel])) : scaled;
}

/** 1/σ [questions, examples, pos, 1] and the normalised input x̂ [questions, examples, pos, d], null without a norm; and the norm's centring. */
export function normalisedStream(
  x: Value,
  arithmetic: Arithmetic,
): { inverse: Value | null; xHat: Value | null; centre(of: Value): Value } {
  const { norm, normEps } = arithmetic.config;
  const centre = (of: Value): Value => (isCentred(arithmetic) ? p.sub(of, p.mean(of, [-1], true)) : of);
  if (norm === null) return { inverse: null, xHat: null, centre };
  const centred = centre(x);
  const inverse = p.div(1, p.sqrt(p.add(p.mean(p.mul(centred, centred), [-1], true), normEps)));
  return { inverse, xHat: p.mul(centred, inverse), centre };
}
