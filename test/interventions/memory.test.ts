/** Paths, knock-outs and noise give back what they borrow: tfjs counts its tensors. */
import { createRequire } from 'node:module';
import { expect } from 'chai';
import { answerKnockouts } from '../../src/engine/questions/knockout.js';
import { withNoise } from '../../src/engine/questions/noised.js';
import { answerPaths } from '../../src/engine/questions/paths.js';
import type { Engine } from '../../src/engine/core/engine.js';
import { withSession } from '../../src/engine/questions/session.js';
import type { Example } from '../../src/task/types.js';
import { sceneOf } from '../engine/scene.js';
import { continueSteered } from '../../src/interventions/steering/continuations.js';
import { SAMPLING_DEFAULTS } from '../../src/interventions/steering/sampling.js';
import { planPlaces } from '../../src/interventions/steering/places.js';
import { steerTask } from '../../src/interventions/steering/steering.js';
import { planContrast, plainPrompt, steeringVector } from '../../src/interventions/steering/vectors.js';
import { withEngine } from '../helpers/engine.js';
import { SHAPES } from '../helpers/models/hand-made.js';
import { onEveryRuntime } from '../runtime/available.js';

const tensors = (): number => {
  const tf = createRequire(import.meta.url)('@tensorflow/tfjs') as typeof import('@tensorflow/tfjs');
  return tf.memory().numTensors;
};

/** Every way to steer: doses at sites before and after attention, rows and single vectors, and what is written then. */
async function steerAndWrite(engine: Engine, examples: readonly Example[]): Promise<void> {
  const sides = { plus: { examples, side: 'clean' }, minus: { examples, side: 'corrupt' } } as const;
  for (const kind of ['resid-pre', 'attention-out'] as const)
    for (const read of ['each', '4']) {
      const vector = await steeringVector(engine, planContrast({ kind, layer: 1 }, { ...sides, read }));
      const places = planPlaces(examples, { rows: vector.rows });
      const asked = { vector, places, coefficients: [-1, 0, 2], side: 'clean' } as const;
      await steerTask(engine, examples, { ...asked, metric: 'logit-difference' });
      const { attention, dVocab, dVocabOut } = engine.model.config;
      if (attention === 'causal' && dVocab === dVocabOut) {
        const prompts = [plainPrompt([1, 2, 3, 4, 5, 6])];
        await continueSteered(engine, prompts, { ...asked, sampling: { ...SAMPLING_DEFAULTS, tokens: 2 } });
      }
    }
}

await onEveryRuntime(
  'interventions give back what they borrow',
  ({ create }) => {
    for (const shape of Object.keys(SHAPES))
      it(shape, async () => {
        const runtime = await create();
        const { model, batch } = await sceneOf(shape);
        const metric = 'logit-difference';
        await withEngine({ model, runtime }, async (engine) => {
          const { universe } = engine;
          const [input, logits] = [0, universe.readers.length - 1];
          const reader = universe.readerIndex('a1.h0<k>')!;
          const held: number[] = [];
          for (let round = 0; round < 3; round++) {
            await withSession(engine, batch, { metric, direction: 'noising' }, async ({ bound, base }) => {
              for (const mlps of ['kept', 'recomputed'] as const) {
                const through = [[universe.readerIndex('a0.h1<v>')!], [reader]];
                await answerPaths(bound, { senders: [input], through, ends: [[logits]], mlps }, base);
                await answerPaths(bound, { senders: [input, 1], through: [], ends: [[reader], [logits]], mlps }, base);
              }
              await answerKnockouts(bound, [[{ layer: 0, head: 1, queries: [4, 5], keys: [1] }]]);
            });
            const samples = [new Float64Array(model.config.dModel).fill(0.5)];
            await withNoise(engine, batch.examples[0]!, { samples, from: 1, metric }, (noised) =>
              noised.restore([[{ kind: 'resid-pre', layer: 1, positions: [1] }]]),
            );
            await steerAndWrite(engine, batch.examples);
            held.push(tensors());
          }
          expect(held[2]).to.equal(held[1]); // the first round prepares kernels
        });
        await runtime.dispose();
      });
  },
  (key) => key === 'tfjs-wasm', // all of tfjs counts alike
);
