/** Scrubbing gives back what it borrows, and is the same in whatever pieces the memory allows: tfjs counts its tensors. */
import { createRequire } from 'node:module';
import { expect } from 'chai';
import type { EngineOptions } from '../../src/engine/core/engine.js';
import { withScrubPool } from '../../src/engine/questions/scrub.js';
import { layOut } from '../../src/interventions/scrubbing/hypothesis.js';
import { planScrub, scrub } from '../../src/interventions/scrubbing/scrub.js';
import type { Example } from '../../src/task/types.js';
import { contrast, expectNear, withEngine } from '../helpers/engine.js';
import { randomModel, SHAPES } from '../helpers/models/hand-made.js';
import { onEveryRuntime } from '../runtime/available.js';

const tensors = (): number => {
  const tf = createRequire(import.meta.url)('@tensorflow/tfjs') as typeof import('@tensorflow/tfjs');
  return tf.memory().numTensors;
};

const examples = Array.from({ length: 5 }, (_, i): Example => {
  const clean = [i % 2, 1 + i, 2, i % 3];
  const answers = [contrast(3, i % 4, 4)];
  return { index: i, clean, corrupt: clean, spans: {}, group: null, answers };
});

const FILE = {
  name: 'every kind of node',
  nodes: {
    out: { at: 'logits', reads: ['head', 'early'] },
    head: { at: 'a1.h1@3', feature: [{ tokens: '0' }], reads: { q: ['input'], k: ['key'], v: ['early'] } },
    key: { at: 'a1.h1<k>', reads: ['lower'] },
    lower: { at: 'a0.h0', reads: { v: ['input'] } },
    early: { at: 'm0', feature: [], reads: ['lower'] },
    input: { at: 'input@0..1' },
  },
};

const runtimes = (key: string): boolean => key === 'tfjs-wasm' || key === 'onnx'; // all of tfjs counts alike

await onEveryRuntime(
  'causal scrubbing',
  ({ key, create }) => {
    const counts = key !== 'onnx';
    const model = randomModel(SHAPES['LayerNorm, learned positions, biases']!, 5);
    const options = { metric: 'kl-divergence', draws: 2, seed: 3 } as const;
    const asked = async (
      given: Partial<EngineOptions>,
      rounds: number,
    ): Promise<{ values: Float64Array; held: number[] }> => {
      const runtime = await create();
      const held: number[] = [];
      let values: Float64Array = new Float64Array();
      try {
        await withEngine({ model, runtime, options: given }, async (engine) => {
          for (let round = 0; round < rounds; round++) {
            for (const unimportant of ['shared', 'separate'] as const) {
              const plan = planScrub(engine, examples, layOut(FILE, engine.universe), { ...options, unimportant });
              ({ scrubbed: values } = await scrub(engine, plan));
            }
            if (counts) held.push(tensors());
          }
        });
      } finally {
        await runtime.dispose();
      }
      return { values, held };
    };

    if (counts)
      it('holds no more tensors after a second round than after the first', async () => {
        const start = tensors();
        const { held } = await asked({}, 3);
        expect(held[2]).to.equal(held[1]); // the first round prepares kernels
        expect(tensors()).to.equal(start);
      });

    if (counts)
      it('keeps of a pool what it said it would, within a quarter', async () => {
        const runtime = await create();
        const { memory } = createRequire(import.meta.url)('@tensorflow/tfjs') as typeof import('@tensorflow/tfjs');
        const bytesOf = (): number => memory().numBytes;
        const clean = Array.from({ length: 24 }, (_, i) => i % 9);
        const many = examples.map((one) => ({ ...one, clean, corrupt: clean, answers: [contrast(23, 1, 2)] }));
        try {
          for (const shape of Object.values(SHAPES).slice(0, 2)) {
            const large = randomModel({ ...shape, nCtx: 32 }, 5);
            await withEngine({ model: large, runtime }, async (engine) => {
              const everything = layOut({ name: 'all', nodes: { out: { at: 'logits', reads: [] } } }, engine.universe);
              const plan = planScrub(engine, many, everything, { ...options, metric: 'logit-difference', unimportant: 'shared' }); // prettier-ignore
              await scrub(engine, plan); // prepares kernels
              const before = bytesOf();
              const kept = await withScrubPool(engine, plan.pools[0]!, 'logit-difference', () => Promise.resolve(bytesOf() - before)); // prettier-ignore
              expect(kept / plan.cost.bytes).to.be.within(0.75, 1.25);
            });
          }
        } finally {
          await runtime.dispose();
        }
      });

    it('gives the same values whether examples are run together or in pieces', async () => {
      const [whole, pieces] = [await asked({}, 1), await asked({ chunkTokens: 8 }, 1)];
      expectNear(pieces.values, whole.values, 1e-4);
    });
  },
  runtimes,
);
