/** Ways to estimate what replacing a node would do from gradients. */
import type { Along } from '../../engine/gradients/node-gradient.js';
import type { Point } from '../../engine/gradients/gradient.js';
import { describePoints, riemannPoints, type RiemannRule } from '../../engine/gradients/riemann.js';
import { refuse } from '../../errors.js';
import { choicesFor } from '../../nearest.js';
import type { MetricKey } from '../../task/types.js';

export interface EstimatorSetting {
  /** points of an integral */
  readonly steps: number;
  readonly rule: RiemannRule;
}

/** Passes over one pair, beside those of its two prompts; those of each group are for one site of one layer. */
interface Passes {
  readonly forwards: number;
  readonly backwards: number;
  readonly each: 'run' | 'site and layer';
}

export interface Estimator {
  readonly key: string;
  readonly reference: string;
  readonly along: Along;
  /** the user chooses its points */
  readonly integrates: boolean;
  title(setting: EstimatorSetting): string;
  /** @throws TheveninError discovery/steps */
  points(setting: EstimatorSetting): readonly Point[];
  cost(setting: EstimatorSetting): Passes;
}

const integral = (along: Along, of: Pick<Estimator, 'key' | 'reference'>, what: string): Estimator => ({
  ...of,
  along,
  integrates: true,
  title: ({ rule, steps }) => `${what}, ${describePoints(rule, steps)}`,
  points: ({ rule, steps }) => riemannPoints(rule, steps),
  cost: ({ steps }) => ({
    forwards: steps,
    backwards: steps,
    each: along === 'embedding' ? 'run' : 'site and layer',
  }),
});

/** A new one is an entry here. */
export const ESTIMATORS: readonly Estimator[] = [
  {
    key: 'ap',
    reference: 'Nanda 2023, Attribution Patching; Kramár et al. 2024, arXiv:2403.00745',
    along: 'embedding',
    integrates: false,
    title: () => 'attribution patching',
    points: () => [{ at: 1, weight: 1 }],
    cost: () => ({ forwards: 1, backwards: 1, each: 'run' }),
  },
  integral(
    'embedding',
    { key: 'ap-ig', reference: 'Hanna, Pezzelle & Belinkov 2024, arXiv:2403.17806 (of nodes)' },
    'attribution patching, integrated along the embeddings',
  ),
  integral(
    'site',
    {
      key: 'ig',
      reference: 'Marks et al. 2024, arXiv:2403.19647; Dhamdhere, Sundararajan & Yan 2018, arXiv:1805.12233',
    },
    'integrated gradients of each site',
  ),
];

/** @throws TheveninError interventions/estimator */
export const findEstimator = (key: string): Estimator =>
  ESTIMATORS.find((estimator) => estimator.key === key) ??
  refuse(
    'interventions/estimator',
    `no method that attributes to nodes is called "${key}"; choose one of ${choicesFor(
      key,
      ESTIMATORS.map((one) => one.key),
    )}`,
  );

/** A divergence from the clean run is least there: its gradient is zero. @throws TheveninError interventions/estimator */
export function checkGradient(metric: MetricKey, points: readonly Point[]): void {
  if (metric === 'kl-divergence' && points.every(({ at }) => at === 1))
    refuse(
      'interventions/estimator',
      `${metric} has no gradient on the clean prompts, the only point asked for; use the method ap-ig or ig, or another metric (logit-difference, log-probability, probability-difference)`,
    );
}
