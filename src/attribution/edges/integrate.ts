import type { WayBack } from '../../engine/model-run/backward.js';
import { edgeGradients, type Point } from '../../engine/gradients/gradient.js';
import { withSession } from '../../engine/questions/session.js';
import type { BoundRun } from '../../engine/model-run/bound-run.js';
import { refuse } from '../../errors.js';
import type { MetricKey } from '../../task/types.js';
import { negated, noising, scoreBatches } from './collect.js';
import type { Attribution, EdgesContext } from './types.js';

/** The gradient on the clean prompts alone. */
export const CLEAN: readonly Point[] = [{ at: 1, weight: 1 }];

/** Divergences from the clean run are smallest there: their gradient is zero. @throws TheveninError discovery/gradient */
export function checkGradient(metric: MetricKey, points: readonly Point[]): void {
  if (metric === 'kl-divergence' && points.every(({ at }) => at === 1))
    refuse(
      'discovery/gradient',
      `${metric} has no gradient on the clean prompts, the only point asked for; use the method eap-ig or clean-corrupted, or another metric (logit-difference, log-probability, probability-difference)`,
    );
}

/**
 * −⟨alternative − clean output of the sender, Σ over points of weight · ∂metric/∂(reader's input)⟩: the first-order estimate of
 * what the metric loses when the edge is cut. Some methods send something else than the derivative back. The points lie between the embedding's alternative and the clean embedding.
 */
export function scoreByGradient(
  context: EdgesContext,
  method: string,
  points: readonly Point[],
  way: (setting: BoundRun) => WayBack = () => ({}),
): Promise<Attribution> {
  return scoreBatches(context, { method, copies: points.length }, (batch) =>
    withSession(context.engine, batch, noising(context), async ({ bound }) =>
      negated(
        await edgeGradients(bound, points, {
          clean: bound.base,
          corrupt: bound.alternative,
          groups: context.groups,
          ...way(bound),
        }),
      ),
    ),
  );
}
