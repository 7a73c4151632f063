/** A forward pass that keeps nothing, and rows that are pushed a few at a time. */
import { expect } from 'chai';
import { promptMetric } from '../../src/engine/model-run/forward.js';
import { withSession } from '../../src/engine/questions/session.js';
import { openStack } from '../../src/engine/core/stack.js';
import { createRuntime } from '../../src/runtime/index.js';
import { createReferenceRuntime } from '../../src/runtime/reference/index.js';
import type { Tensor } from '../../src/runtime/types.js';
import { withEngine } from '../helpers/engine.js';
import { SHAPES } from '../helpers/models/hand-made.js';
import { sceneOf } from './scene.js';

const [SHAPE] = Object.keys(SHAPES) as [string];

describe('a forward pass that keeps nothing', () => {
  for (const shape of Object.keys(SHAPES))
    it(`says of either prompt what the run that is kept says: ${shape}`, async () => {
      const { model, batch } = await sceneOf(shape);
      await withEngine({ model, runtime: createReferenceRuntime() }, (engine) =>
        withSession(engine, batch, { metric: 'logit-difference', direction: 'noising' }, async (session) => {
          const { judge } = session.bound;
          for (const side of ['clean', 'corrupt'] as const)
            expect(await promptMetric(engine, batch, { side, judge })).to.deep.equal(session[side]);
        }),
      );
    });

  it('costs one pass over the tokens', async () => {
    const { model, batch } = await sceneOf(SHAPE);
    await withEngine({ model, runtime: createReferenceRuntime() }, (engine) =>
      withSession(engine, batch, { metric: 'logit-difference', direction: 'noising' }, async ({ bound }) => {
        const before = engine.counters.layerTokens;
        await promptMetric(engine, batch, { side: 'clean', judge: bound.judge });
        expect(engine.counters.layerTokens - before).to.equal(batch.examples.length * batch.length);
      }),
    );
  });
});

describe('rows pushed a few at a time', () => {
  for (const [key, how] of [
    ['onnx', 'in memory taken once'],
    ['reference', 'joined at every push'],
  ] as const)
    it(`are read together in their order, ${how}`, async () => {
      const { model } = await sceneOf(SHAPE);
      const runtime = key === 'onnx' ? await createRuntime(key, { threads: 1 }) : createReferenceRuntime();
      expect(runtime.stack !== undefined).to.equal(key === 'onnx');
      await withEngine({ model, runtime }, async (engine) => {
        const rows = (...values: number[]): Tensor =>
          runtime.tensor(Float32Array.from(values), [values.length / 2, 1, 2]);
        const stack = openStack(engine, [1, 2], 3);
        await stack.push(rows(1, 2));
        const first = stack.all();
        expect([first.shape, [...(await first.read())]]).to.deep.equal([
          [1, 1, 2],
          [1, 2],
        ]);
        first.dispose();
        await stack.push(rows(3, 4, 5, 6));
        const all = stack.all();
        stack.dispose(); // what was read stays until it is disposed of itself
        expect([all.shape, [...(await all.read())]]).to.deep.equal([
          [3, 1, 2],
          [1, 2, 3, 4, 5, 6],
        ]);
        all.dispose();
      });
      await runtime.dispose();
    });
});
