/** What the scores of edges are: derivatives of `run`, which add up along the way between the prompts. */
import { expect } from 'chai';
import type { Engine } from '../../../src/engine/core/engine.js';
import { edgeGradients, type Point } from '../../../src/engine/gradients/gradient.js';
import type { Question } from '../../../src/engine/questions/questions.js';
import type { Direction } from '../../../src/engine/sources/kinds.js';
import { withSession } from '../../../src/engine/questions/session.js';
import { createRuntime } from '../../../src/runtime/index.js';
import { createReferenceRuntime } from '../../../src/runtime/reference/index.js';
import { batchOf, byEdge, expectNear, withEngine } from '../../helpers/engine.js';
import { SHAPES } from '../../helpers/models/hand-made.js';
import { pairAt, sceneOf } from '../scene.js';

const AT: Readonly<Record<Direction, Point>> = { noising: { at: 1, weight: 1 }, denoising: { at: 0, weight: 1 } };
const midpoints = (steps: number): Point[] =>
  Array.from({ length: steps }, (_, k) => ({ at: (k + 0.5) / steps, weight: 1 / steps }));

/** A power of two: the engine takes weights as float32. */
const STEP = 2 ** -14;

for (const shape of Object.keys(SHAPES))
  describe(shape, () => {
    for (const direction of ['noising', 'denoising'] as const)
      it(`an edge's score at the base run is the derivative of the metric by how much of the edge is cut, ${direction}`, async () => {
        const scene = await sceneOf(shape);
        await withEngine({ model: scene.model, runtime: createReferenceRuntime() }, async (engine) => {
          const options = { metric: 'logit-difference', direction } as const;
          await withSession(engine, scene.batch, options, async ({ ask, bound, prompts }) => {
            const examples = scene.batch.examples.length;
            const scores = byEdge(await edgeGradients(bound, [AT[direction]], prompts), examples);
            const edges = Array.from({ length: engine.universe.edgeCount }, (_, edge) => edge).filter(
              (e) => e % 3 === 0,
            );
            const cut = (weight: number): Question[] => edges.map((edge) => ({ kind: 'edge', edge, weight }));
            const [above, below] = [await ask(cut(STEP)), await ask(cut(-STEP))];
            const slopes = edges.flatMap((_, i) => [...above[i]!].map((x, b) => (x - below[i]![b]!) / (2 * STEP)));
            const found = edges.flatMap((edge) => [...scores.subarray(edge * examples, (edge + 1) * examples)]);
            expectNear(found, slopes, 1e-6);
          });
        });
      });

    it('64 midpoints: the scores out of the input add up to the difference between the prompts', async () => {
      const scene = await sceneOf(shape);
      const runtime = await createRuntime('onnx', { threads: 1 });
      await withEngine({ model: scene.model, runtime }, (engine) =>
        withSession(
          engine,
          scene.batch,
          { metric: 'logit-difference', direction: 'noising' },
          async ({ bound, prompts, clean, corrupt }) => {
            const scores = await edgeGradients(bound, midpoints(64), prompts);
            const totals = scene.batch.examples.map((_, example) =>
              engine.universe.edgeSender.reduce(
                (sum, sender, edge) => sum + (sender === 0 ? scores[example * engine.universe.edgeCount + edge]! : 0),
                0,
              ),
            );
            expectNear(
              totals,
              corrupt.map((x, i) => x - clean[i]!),
              1e-2,
            );
          },
        ),
      );
      await runtime.dispose();
    });
  });

describe('pairs that do not differ, among others that do', () => {
  it('have scores of exactly 0', async () => {
    const scene = await sceneOf('LayerNorm, learned positions, biases');
    const { clean, answers = [] } = pairAt(2, 5);
    const batch = batchOf([pairAt(1, 4), { clean, corrupt: clean, answers }]);
    await withEngine({ model: scene.model, runtime: createReferenceRuntime() }, (engine: Engine) =>
      withSession(engine, batch, { metric: 'logit-difference', direction: 'noising' }, async ({ bound, prompts }) => {
        const scores = await edgeGradients(bound, midpoints(2), prompts);
        const { edgeCount } = engine.universe;
        expect(scores.subarray(edgeCount).every((score) => score === 0)).to.equal(true);
        expect(scores.subarray(0, edgeCount).some((score) => score !== 0)).to.equal(true);
      }),
    );
  });
});
