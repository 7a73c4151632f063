import { edgeGradients, type Point } from '../engine/gradient.js';
import { withSession } from '../engine/run.js';
import { scoreBatches } from './collect.js';
import type { Attribution, MethodContext, RiemannRule } from './types.js';

/** Where the points of each rule lie between the corrupt prompt (0) and the clean one (1). */
const RULES: { readonly [Rule in RiemannRule]: (k: number, steps: number) => number } = {
  left: (k, steps) => k / steps,
  right: (k, steps) => (k + 1) / steps,
  midpoint: (k, steps) => (k + 0.5) / steps,
};

export const RIEMANN_RULES = Object.keys(RULES) as RiemannRule[];

export const riemannPoints = (rule: RiemannRule, steps: number): Point[] =>
  Array.from({ length: steps }, (_, k) => ({ at: RULES[rule](k, steps), weight: 1 / steps }));

/**
 * −⟨corrupt − clean output of the sender, mean over points of ∂metric/∂(reader's input)⟩: the first-order estimate of what the
 * metric loses when the edge is corrupted.
 */
export function scoreByGradient(
  context: MethodContext,
  method: string,
  points: readonly Point[],
): Promise<Attribution> {
  const { engine, metric } = context;
  return scoreBatches(context, { method, copies: points.length }, (batch) =>
    withSession(engine, batch, { metric, direction: 'noising' }, async ({ setting, prompts }) => {
      const change = await edgeGradients(setting, points, prompts);
      return change.map((x) => (x === 0 ? 0 : -x));
    }),
  );
}
