/** Paths, knock-outs and noise give back what they borrow: tfjs counts its tensors. */
import { createRequire } from 'node:module';
import { expect } from 'chai';
import { answerKnockouts } from '../../src/engine/knockout.js';
import { withNoise } from '../../src/engine/noised.js';
import { answerPaths } from '../../src/engine/paths.js';
import { withSession } from '../../src/engine/run.js';
import { sceneOf } from '../engine/scene.js';
import { withEngine } from '../helpers/engine.js';
import { SHAPES } from '../helpers/hand-made.js';
import { onEveryRuntime } from '../runtime/available.js';

const tensors = (): number => {
  const tf = createRequire(import.meta.url)('@tensorflow/tfjs') as typeof import('@tensorflow/tfjs');
  return tf.memory().numTensors;
};

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
            await withSession(engine, batch, { metric, direction: 'noising' }, async ({ setting, base }) => {
              for (const mlps of ['kept', 'recomputed'] as const) {
                const through = [[universe.readerIndex('a0.h1<v>')!], [reader]];
                await answerPaths(setting, { senders: [input], through, ends: [[logits]], mlps }, base);
                await answerPaths(
                  setting,
                  { senders: [input, 1], through: [], ends: [[reader], [logits]], mlps },
                  base,
                );
              }
              await answerKnockouts(setting, [[{ layer: 0, head: 1, queries: [4, 5], keys: [1] }]]);
            });
            const samples = [new Float64Array(model.config.dModel).fill(0.5)];
            await withNoise(engine, batch.examples[0]!, { samples, from: 1, metric }, (noised) =>
              noised.restore([[{ kind: 'resid-pre', layer: 1, positions: [1] }]]),
            );
            held.push(tensors());
          }
          expect(held[2]).to.equal(held[1]); // the first round prepares kernels
        });
        await runtime.dispose();
      });
  },
  (key) => key === 'tfjs-wasm', // all of tfjs counts alike
);
