/** What an answer must not depend on: chunks, the batch's other examples, where recomputation starts, the time of day. */
import { expect } from 'chai';
import { Engine, type EngineOptions } from '../../src/engine/core/engine.js';
import { edgeGradients, type Point } from '../../src/engine/gradients/gradient.js';
import type { Batch } from '../../src/engine/core/batches.js';
import type { Question, Site } from '../../src/engine/questions/questions.js';
import { withSession } from '../../src/engine/questions/session.js';
import { createRuntime, type Runtime } from '../../src/runtime/index.js';
import { batchOf, byEdge, expectNear, withEngine } from '../helpers/engine.js';
import { SHAPES } from '../helpers/models/hand-made.js';
import { pairAt, randomQuestions, sceneOf, type Scene } from './scene.js';

const MIDPOINTS: readonly Point[] = [1, 3, 5].map((k) => ({ at: k / 6, weight: 1 / 3 }));

interface Answered {
  /** [question][example] */
  readonly answers: number[][];
  /** [edge · examples + example] */
  readonly scores: Float64Array;
}

const questionsOf = (scene: Scene): Question[] => Object.values(randomQuestions(scene, 12, 4)).flat();

/** Questions of all kinds and EAP-IG, on an engine of their own. */
const answer = (
  { scene, runtime, batch = scene.batch }: { scene: Scene; runtime: Runtime; batch?: Batch },
  options: Partial<EngineOptions> = {},
): Promise<Answered> =>
  withEngine({ model: scene.model, runtime, options }, (engine) =>
    withSession(
      engine,
      batch,
      { metric: 'logit-difference', direction: 'noising' },
      async ({ ask, bound, prompts }) => {
        const answers = (await ask(questionsOf(scene))).map((one) => [...one]);
        return { answers, scores: byEdge(await edgeGradients(bound, MIDPOINTS, prompts), batch.examples.length) };
      },
    ),
  );

/** The same examples alone. */
const only = ({ answers, scores }: Answered, examples: readonly number[], of: number): Answered => ({
  answers: answers.map((one) => examples.map((example) => one[example]!)),
  scores: scores.filter((_, i) => examples.includes(i % of)),
});

const expectSame = (found: Answered, expected: Answered): void => {
  expectNear(found.answers.flat(), expected.answers.flat(), 1e-6, 'answers');
  expectNear(found.scores, expected.scores, 1e-5, 'scores');
};

for (const shape of Object.keys(SHAPES))
  describe(`${shape}: the same answers`, () => {
    let [runtime, scene] = [null, null] as unknown as [Runtime, Scene];
    before(async () => {
      runtime = await createRuntime('onnx', { threads: 1 });
      scene = await sceneOf(shape);
    });
    after(() => runtime.dispose());

    it('to the byte, when asked again', async () =>
      expect(await answer({ scene, runtime })).to.deep.equal(await answer({ scene, runtime })));

    it('from chunks of one question, and from small memory', async () => {
      const whole = await answer({ scene, runtime }, { chunkTokens: 2 ** 20 });
      expectSame(await answer({ scene, runtime }, { chunkTokens: 1 }), whole);
      expectSame(await answer({ scene, runtime }, { memoryBytes: 1 }), whole);
    });

    it('in whatever batch an example is asked', async () => {
      const together = await answer({ scene, runtime });
      for (const [i, example] of scene.batch.examples.entries()) {
        const alone = await answer({ scene, runtime, batch: { ...scene.batch, examples: [example] } });
        expectSame(alone, only(together, [i], scene.batch.examples.length));
      }
    });

    it('with keys and values of an equal prefix reused as with every position recomputed', async () => {
      const late = [pairAt(4, 7), pairAt(5, 8)];
      const fromPrefix = await answer({ scene, runtime, batch: batchOf(late) });
      const forced = await answer({ scene, runtime, batch: batchOf([...late, pairAt(0, 9)]) });
      expectSame(fromPrefix, only(forced, [0, 1], 3));
    });
  });

describe('sites that say the same', () => {
  let [runtime, engine, scene] = [null, null, null] as unknown as [Runtime, Engine, Scene];
  before(async () => {
    runtime = await createRuntime('onnx', { threads: 1 });
    scene = await sceneOf('LayerNorm, learned positions, biases');
    engine = new Engine(scene.model, runtime);
  });
  after(async () => {
    await engine.dispose();
    await runtime.dispose();
  });

  const together = (...sites: Site[]): Question => ({ kind: 'sites', sites });
  const ask = (questions: readonly Question[]): Promise<number[][]> =>
    withSession(engine, scene.batch, { metric: 'logit-difference', direction: 'noising' }, async (session) =>
      [...(await session.ask(questions)), session.corrupt].map((one) => [...one]),
    );

  it('the stream after a layer is the stream before the next', async () => {
    const [post, pre] = await ask([
      together({ kind: 'resid-post', layer: 0, positions: [3, 5] }),
      together({ kind: 'resid-pre', layer: 1, positions: [3, 5] }),
    ]);
    expect(post).to.deep.equal(pre);
  });

  for (const kind of ['resid-pre', 'resid-mid', 'resid-post'] as const)
    it(`the whole ${kind} of any layer replaced: the other prompt's run`, async () => {
      const answers = await ask([0, 1, 2].map((layer) => together({ kind, layer })));
      for (const found of answers) expectNear(found, answers.at(-1)!, 1e-5);
    });

  it('from some position on, the stream after attention is the stream before it and what attention adds', async () => {
    const positions = [4, 5];
    for (const layer of [0, 1, 2]) {
      const [mid, both] = await ask([
        together({ kind: 'resid-mid', layer, positions }),
        together({ kind: 'resid-pre', layer, positions }, { kind: 'attention-out', layer, positions }),
      ]);
      expectNear(mid!, both!, 1e-5);
    }
  });

  it('a head replaced is all its outgoing edges cut; all heads of a layer, its attention output', async () => {
    const { universe } = engine;
    const cutFrom = (...names: string[]): Question => {
      const keep = Uint8Array.from(universe.edgeSender, (sender) =>
        names.includes(universe.senders[sender]!.name) ? 0 : 1,
      );
      return { kind: 'circuit', keep };
    };
    const answers = await ask([
      together({ kind: 'z', layer: 1, heads: [1] }),
      cutFrom('a1.h1'),
      together({ kind: 'attention-out', layer: 0 }),
      cutFrom('a0.h0', 'a0.h1'),
      together({ kind: 'mlp-out', layer: 1 }),
      cutFrom('m1'),
    ]);
    for (const i of [0, 2, 4]) expectNear(answers[i]!, answers[i + 1]!, 1e-5);
  });
});
