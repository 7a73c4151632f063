/** What is borrowed is given back: tfjs counts its tensors. */
import { createRequire } from 'node:module';
import { expect } from 'chai';
import { edgeGradients } from '../../src/engine/gradients/gradient.js';
import { residualGradients } from '../../src/engine/gradients/residual-gradient.js';
import type { SourceKind } from '../../src/engine/sources/kinds.js';
import { withSession } from '../../src/engine/questions/session.js';
import { makeSource } from '../../src/engine/sources/index.js';
import type { MetricKey } from '../../src/task/types.js';
import { withEngine } from '../helpers/engine.js';
import { SHAPES } from '../helpers/models/hand-made.js';
import { onEveryRuntime } from '../runtime/available.js';
import { randomQuestions, sceneOf } from './scene.js';

const tensors = (): number => {
  const tf = createRequire(import.meta.url)('@tensorflow/tfjs') as typeof import('@tensorflow/tfjs');
  return tf.memory().numTensors;
};

const METRICS: readonly MetricKey[] = ['logit-difference', 'kl-divergence', 'log-probability', 'squared-error'];
const SOURCES: readonly SourceKind[] = ['other-prompt', 'zero', 'mean', 'positional-mean'];

await onEveryRuntime(
  'an engine gives back what it borrows',
  ({ create }) => {
    for (const shape of Object.keys(SHAPES))
      it(shape, async () => {
        const runtime = await create();
        const scene = await sceneOf(shape);
        const { batch } = scene;
        const questions = Object.values(randomQuestions(scene, 6, 2)).flat();
        const start = tensors();
        await withEngine({ model: scene.model, runtime }, async (engine) => {
          const held: number[] = [];
          // the second round finds every kernel prepared
          for (const [metric, kind] of [...METRICS.entries(), ...METRICS.entries()].map(
            ([i, key]) => [key, SOURCES[i]!] as const,
          )) {
            const source = await makeSource(engine, kind, { batches: [batch], side: 'corrupt' });
            await withSession(
              engine,
              batch,
              { metric, direction: 'noising', source },
              async ({ ask, bound, prompts }) => {
                await ask(questions);
                await edgeGradients(bound, [{ at: 0.25, weight: 1 }], prompts);
                (await residualGradients(engine, batch, { side: 'clean', judge: bound.judge })).dispose();
              },
            );
            held.push(tensors());
          }
          const [first, second] = [held.slice(0, METRICS.length), held.slice(METRICS.length)];
          expect(second).to.deep.equal(first.map(() => first.at(-1)));
        });
        expect(tensors()).to.equal(start);
        await runtime.dispose();
      });
  },
  (key) => key === 'tfjs-wasm', // all of tfjs counts alike
);
