/** Every method gives back what it borrows, interrupted or not: tfjs counts its tensors. */
import { createRequire } from 'node:module';
import { expect } from 'chai';
import { METHODS } from '../../../src/attribution/edges/index.js';
import type { EdgeMethod } from '../../../src/attribution/edges/types.js';
import type { Engine } from '../../../src/engine/core/engine.js';
import { makeSource } from '../../../src/engine/sources/index.js';
import type { Example } from '../../../src/task/types.js';
import { sceneOf } from '../../engine/scene.js';
import { withEngine } from '../../helpers/engine.js';
import { onEveryRuntime } from '../../runtime/available.js';
import { everyOption } from '../../helpers/options.js';

const tensors = (): number => {
  const tf = createRequire(import.meta.url)('@tensorflow/tfjs') as typeof import('@tensorflow/tfjs');
  return tf.memory().numTensors;
};

interface Asked {
  readonly engine: Engine;
  readonly examples: readonly Example[];
  /** what cut edges read: the other prompt, or zeros */
  readonly zeros?: boolean;
  /** tells the first three positions from the others */
  readonly halves?: boolean;
}

const HALVES = [
  [0, 1, 2],
  [3, 4, 5],
];

/** Runs a method; interrupted, it is stopped at the first news of it. */
async function run(method: EdgeMethod, { engine, examples, zeros, halves }: Asked, interrupted = false): Promise<void> {
  const stop = new AbortController();
  const ended = method.run({
    ...{ engine, examples, metric: 'logit-difference', signal: stop.signal },
    ...(zeros ? { source: await makeSource(engine, 'zero', { batches: [], side: 'corrupt' }) } : {}),
    ...(halves ? { groups: { names: ['first', 'last'], positions: () => HALVES } } : {}),
    options: everyOption({ steps: 2, tau: 0.05, edges: 9, updates: 3 }),
    onProgress: () => interrupted && stop.abort(),
  });
  await (interrupted ? ended.catch((reason: unknown) => expect(reason).to.equal(stop.signal.reason)) : ended);
}

await onEveryRuntime(
  'methods give back what they borrow',
  ({ create }) => {
    for (const shape of [
      'LayerNorm, learned positions, biases',
      'parallel blocks, partial rotary in adjacent pairs',
    ] as const)
      for (const method of METHODS)
        it(`${method.key}: ${shape}`, async () => {
          const runtime = await create();
          const { model, batch } = await sceneOf(shape);
          const start = tensors();
          await withEngine({ model, runtime }, async (engine) => {
            const held: number[] = [];
            const asks = [{}, { zeros: true }, ...(method.resolves ? [{ halves: true }] : [])];
            for (const interrupted of [false, false, true, false])
              for (const asked of asks) {
                await run(method, { engine, examples: batch.examples, ...asked }, interrupted);
                held.push(tensors());
              }
            const later = held.slice(asks.length); // the first round prepares kernels
            expect(later).to.deep.equal(later.map(() => held[asks.length - 1]));
          });
          expect(tensors()).to.equal(start);
          await runtime.dispose();
        });
  },
  (key) => key === 'tfjs-wasm', // all of tfjs counts alike
);
