/** Ablation sources and the learning of constants give back what they borrow: tfjs counts its tensors. */
import { createRequire } from 'node:module';
import { expect } from 'chai';
import { learnConstants } from '../../../src/attribution/edges/constants/learn.js';
import type { Engine } from '../../../src/engine/core/engine.js';
import type { Batch } from '../../../src/engine/core/batches.js';
import { type Question } from '../../../src/engine/questions/questions.js';
import { SOURCE_KINDS, type SourceKind } from '../../../src/engine/sources/kinds.js';
import { withSession } from '../../../src/engine/questions/session.js';
import { makeSource } from '../../../src/engine/sources/index.js';
import { randomQuestions, sceneOf } from '../../engine/scene.js';
import { withEngine } from '../../helpers/engine.js';
import { onEveryRuntime } from '../../runtime/available.js';

const tensors = (): number => {
  const tf = createRequire(import.meta.url)('@tensorflow/tfjs') as typeof import('@tensorflow/tfjs');
  return tf.memory().numTensors;
};

const PATTERN: Question = { kind: 'sites', sites: [{ kind: 'pattern', layer: 1 }] };
const withoutPatterns = new Set<SourceKind>(['gaussian', 'learned']);

async function ask(engine: Engine, batch: Batch, asked: { kind: SourceKind; questions: readonly Question[] }) {
  const { kind, questions } = asked;
  const constants = await learnConstants(engine, batch.examples, { seed: 0, updates: 2 });
  const given = { batches: [batch], side: 'corrupt', noise: { seed: 0, scale: 1 }, constants } as const;
  const source = await makeSource(engine, kind, given);
  await withSession(engine, batch, { metric: 'logit-difference', direction: 'noising', source }, (session) =>
    session.ask([...questions, ...(withoutPatterns.has(kind) ? [] : [PATTERN])]),
  );
}

await onEveryRuntime(
  'ablation sources give back what they borrow',
  ({ create }) => {
    for (const kind of SOURCE_KINDS)
      it(kind, async () => {
        const runtime = await create();
        const scene = await sceneOf('LayerNorm, learned positions, biases');
        const batch = { ...scene.batch, examples: scene.batch.examples.map((one) => ({ ...one, group: 'T' })) };
        const { circuit, edge } = randomQuestions(scene, 4, 2);
        const start = tensors();
        await withEngine({ model: scene.model, runtime }, async (engine) => {
          const held: number[] = [];
          for (let round = 0; round < 3; round++) {
            await ask(engine, batch, { kind, questions: [...circuit, ...edge] });
            held.push(tensors());
          }
          expect(held.slice(1)).to.deep.equal([held[0], held[0]]); // the first round prepares kernels
        });
        expect(tensors()).to.equal(start);
        await runtime.dispose();
      });
  },
  (key) => key === 'tfjs-wasm', // all of tfjs counts alike
);
