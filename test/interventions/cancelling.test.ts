/** Whatever stops long work is what it ends with: the caller's own reason, in every intervention alike. */
import { expect } from 'chai';
import type { Engine } from '../../src/engine/core/engine.js';
import { runGrids } from '../../src/interventions/patching/patching.js';
import { planGrids } from '../../src/interventions/patching/plan.js';
import { layOut } from '../../src/interventions/scrubbing/hypothesis.js';
import { planScrub, scrub } from '../../src/interventions/scrubbing/scrub.js';
import { continueSteered } from '../../src/interventions/steering/continuations.js';
import { planPlaces } from '../../src/interventions/steering/places.js';
import { SAMPLING_DEFAULTS } from '../../src/interventions/steering/sampling.js';
import { steerTask } from '../../src/interventions/steering/steering.js';
import { plainPrompt, type SteeringVector } from '../../src/interventions/steering/vectors.js';
import { createRuntime } from '../../src/runtime/index.js';
import { batchOf, contrast, withEngine } from '../helpers/engine.js';
import { randomModel } from '../helpers/models/random-model.js';

const METRIC = 'logit-difference';
/** of two lengths: work in at least two pieces */
const { examples } = batchOf(
  [[3], [3, 0], [4], [4, 0]].map((middle, i) => ({
    clean: [i, ...middle, 5],
    corrupt: [i + 1, ...middle, 4],
    answers: [contrast(1 + middle.length, 1, 2)],
  })),
);
const vector: SteeringVector = {
  site: { kind: 'resid-pre', layer: 1 },
  rows: 1,
  values: Float64Array.from({ length: 8 }, (_, i) => i),
};
const steering = { vector, places: planPlaces(examples, { rows: 1 }), coefficients: [1, 2], side: 'clean' } as const;
const hypothesis = { name: 'all', nodes: { out: { at: 'logits', reads: ['input'] }, input: { at: 'input' } } };

interface Watch {
  readonly signal: AbortSignal;
  readonly onProgress: () => void;
}

const WORK: Readonly<Record<string, (engine: Engine, watch: Watch) => Promise<unknown>>> = {
  patching: (engine, watch) => {
    const grids = planGrids(engine.model.config, examples, { grid: 'z' });
    return runGrids(engine, examples, { metric: METRIC, direction: 'denoising', grids, ...watch });
  },
  steering: (engine, watch) => steerTask(engine, examples, { ...steering, metric: METRIC, ...watch }),
  'steered continuations': (engine, watch) =>
    continueSteered(engine, [plainPrompt([1, 2, 3])], {
      ...steering,
      places: planPlaces([plainPrompt([1, 2, 3])], { rows: 1 }),
      sampling: { ...SAMPLING_DEFAULTS, tokens: 3 },
      ...watch,
    }),
  'causal scrubbing': (engine, watch) => {
    const layout = layOut(hypothesis, engine.universe);
    const plan = planScrub(engine, examples, layout, { metric: METRIC, draws: 3, seed: 1, unimportant: 'shared' });
    return scrub(engine, plan, watch);
  },
};

describe('interventions that are stopped', () => {
  for (const [what, work] of Object.entries(WORK))
    it(`${what}: ends with the signal's own reason`, async () => {
      const runtime = await createRuntime('reference', { threads: 1 });
      const stop = new AbortController();
      const reason = new Error('enough');
      const watch = { signal: stop.signal, onProgress: () => stop.abort(reason) };
      const ended = await withEngine({ model: randomModel({ nLayers: 2 }, 3), runtime }, (engine) =>
        work(engine, watch).catch((error: unknown) => error),
      );
      expect(ended).to.equal(reason);
      await runtime.dispose();
    });
});
