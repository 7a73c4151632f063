import { edgeGradients, type Point } from '../../src/engine/gradients/gradient.js';
import { informationFlow } from '../../src/engine/gradients/information-flow.js';
import { residualGradients } from '../../src/engine/gradients/residual-gradient.js';
import type { TimedRow } from '../types.js';

export const gradientOfSites: TimedRow = {
  kind: 'timed',
  name: 'forward + gradient of every residual site',
  limit: 3,
  unit: '× forward',
  prepare: async ({ workload, session }) => ({
    async run() {
      const options = { side: 'clean', judge: session.bound.judge } as const;
      (await residualGradients(workload.engine, workload.batch, options)).dispose();
    },
  }),
};

const edges = (name: string, limit: number, points: readonly Point[]): TimedRow => ({
  kind: 'timed',
  name,
  limit,
  unit: '× forward',
  prepare: async ({ session }) => ({ run: () => edgeGradients(session.bound, points, session.prompts) }),
});

/** AtP* without GradDrop. */
export const atpStar: TimedRow = {
  kind: 'timed',
  name: 'AtP* with the QK fix, all 32,491 edges',
  limit: 6,
  unit: '× forward',
  prepare: async ({ session: { bound, prompts } }) => ({
    run: () => edgeGradients(bound, [{ at: 1, weight: 1 }], { ...prompts, toward: bound.alternative.heads }),
  }),
};

export const routes: TimedRow = {
  kind: 'timed',
  name: 'information-flow routes, all 32,491 edges',
  limit: 3,
  unit: '× forward',
  prepare: async ({ workload: { engine, batch } }) => ({ run: () => informationFlow(engine, batch) }),
};

const STEPS = 5;

/** The left rule of a Riemann sum from the corrupt prompt (0) to the clean one (1). */
export const LEFT_POINTS: readonly Point[] = Array.from({ length: STEPS }, (_, k) => ({
  at: k / STEPS,
  weight: 1 / STEPS,
}));

export const eap = edges('EAP, all 32,491 edges', 6, [{ at: 1, weight: 1 }]);
export const eapIg = edges(`EAP-IG, ${STEPS} steps`, 22, LEFT_POINTS);
