/** Every metric from the logits, by hand; its gradient by central differences. */
import { expect } from 'chai';
import { Engine } from '../../src/engine/core/engine.js';
import { edgeGradients } from '../../src/engine/gradients/gradient.js';
import type { Batch } from '../../src/engine/core/batches.js';
import type { Question } from '../../src/engine/questions/questions.js';
import type { Direction } from '../../src/engine/sources/kinds.js';
import { withSession, type Session } from '../../src/engine/questions/session.js';
import { createRuntime, type Runtime } from '../../src/runtime/index.js';
import { createReferenceRuntime } from '../../src/runtime/reference/index.js';
import type { Answer, AnswerSet, Example, MetricKey } from '../../src/task/types.js';
import { batchOf, byEdge, expectNear, withEngine } from '../helpers/engine.js';
import { SHAPES } from '../helpers/models/hand-made.js';
import type { NaiveRun } from './oracle.js';
import { pairAt, sceneOf, type Scene } from './scene.js';

const softmax = (logits: readonly number[]): number[] => {
  const total = logits.reduce((sum, x) => sum + Math.exp(x), 0);
  return logits.map((x) => Math.exp(x) / total);
};
const over = ({ ids, weights }: AnswerSet, values: readonly number[]): number =>
  ids.reduce((sum, id, i) => sum + weights[i]! * values[id]!, 0);

/** One answer's metric, from the logits at its position now and in the clean run. */
const BY_HAND: Readonly<Record<MetricKey, (answer: Answer, now: number[], clean: number[]) => number>> = {
  'logit-difference': ({ correct, incorrect }, now) => over(correct, now) - over(incorrect, now),
  'probability-difference': ({ correct, incorrect }, now) =>
    over(correct, softmax(now)) - over(incorrect, softmax(now)),
  'log-probability': ({ correct }, now) => over(correct, softmax(now).map(Math.log)),
  'kl-divergence': (_, now, clean) => {
    const [p, q] = [softmax(clean), softmax(now)];
    return -p.reduce((sum, x, i) => sum + x * Math.log(x / q[i]!), 0);
  },
  'squared-error': ({ target = 0 }, now) => -((now[0]! - target) ** 2),
};

/** Sets with weights, several positions, examples with one, two and three answers. */
const ANSWERS: readonly (readonly Answer[])[] = [
  [
    {
      position: 5,
      correct: { ids: [1, 4], weights: [0.25, 0.75] },
      incorrect: { ids: [2, 3], weights: [0.5, 0.5] },
      target: 0.7,
    },
    { position: 3, correct: { ids: [0], weights: [1] }, incorrect: { ids: [1], weights: [1] }, target: -1.2 },
  ],
  [
    {
      position: 4,
      correct: { ids: [2, 3], weights: [1, 1] },
      incorrect: { ids: [0, 1, 4], weights: [1, 1, 1] },
      target: 0,
    },
  ],
  [
    { position: 5, correct: { ids: [3], weights: [1] }, incorrect: { ids: [], weights: [] }, target: 2 },
    { position: 5, correct: { ids: [4], weights: [1] }, incorrect: { ids: [0], weights: [1] }, target: 0.1 },
    { position: 1, correct: { ids: [2], weights: [1] }, incorrect: { ids: [4], weights: [1] }, target: 0.3 },
  ],
];

const example = (i: number, firstChange: number) => ({ ...pairAt(firstChange, i + 1), answers: ANSWERS[i]! });
const BATCH = batchOf([example(0, 1), example(1, 2), example(2, 1)]);
/** The prompts differ after the first answer's position: that answer is judged all the same. */
const LATE = batchOf([example(0, 4), example(1, 4), example(2, 5)]);

/** Metrics are of order 1; divergences may be as small as float32 leaves of them. */
const expectWithin = (found: ArrayLike<number>, expected: readonly number[]): void => {
  expect(Math.max(...expected.map((x, i) => Math.abs(x - found[i]!)))).to.be.below(1e-5);
};

const STEP = 2 ** -14;

for (const metric of Object.keys(BY_HAND) as MetricKey[])
  describe(metric, () => {
    let [runtime, engine, scene] = [null, null, null] as unknown as [Runtime, Engine, Scene];
    before(async () => {
      runtime = await createRuntime('onnx', { threads: 1 });
      scene = await sceneOf('LayerNorm, learned positions, biases'); // its unembedding has a bias
      engine = new Engine(scene.model, runtime);
    });
    after(async () => {
      await engine.dispose();
      await runtime.dispose();
    });

    const session = <T>(batch: Batch, work: (session: Session) => Promise<T>, direction: Direction = 'noising') =>
      withSession(engine, batch, { metric, direction }, work);
    /** The mean over an example's answers. */
    const byHand = ({ answers }: Example, now: NaiveRun, clean: NaiveRun): number =>
      answers.reduce(
        (sum, answer) => sum + BY_HAND[metric](answer, now.logits[answer.position]!, clean.logits[answer.position]!),
        0,
      ) / answers.length;
    const expected = (batch: Batch, of: (one: Example) => NaiveRun): number[] =>
      batch.examples.map((one) => byHand(one, of(one), scene.oracle.run(one.clean)));

    for (const [when, batch] of Object.entries({ 'at the end': BATCH, 'also before the prompts differ': LATE }))
      it(`of both prompts, answers ${when}`, () =>
        session(batch, async ({ clean, corrupt }) => {
          expectWithin(
            clean,
            expected(batch, (one) => scene.oracle.run(one.clean)),
          );
          expectWithin(
            corrupt,
            expected(batch, (one) => scene.oracle.run(one.corrupt)),
          );
        }));

    for (const [when, batch] of Object.entries({ 'at the end': BATCH, 'also before the prompts differ': LATE }))
      for (const direction of ['noising', 'denoising'] as const)
        it(`with an edge cut, ${direction}, answers ${when}`, () =>
          session(
            batch,
            async ({ ask }) => {
              const edge = engine.universe.edgeIndex('a0.h1->m1')!;
              const keep = new Uint8Array(engine.universe.edgeCount).fill(1);
              keep[edge] = 0;
              const found = await ask([
                { kind: 'edge', edge },
                { kind: 'circuit', keep },
              ]);
              const cut = (one: Example): NaiveRun => {
                const [base, other] = direction === 'noising' ? [one.clean, one.corrupt] : [one.corrupt, one.clean];
                return scene.oracle.run(base, { keep, alternative: scene.oracle.run(other).outputs });
              };
              for (const one of found) expectWithin(one, expected(batch, cut));
            },
            direction,
          ));

    it('its gradient', async () => {
      const direction = metric === 'kl-divergence' ? 'denoising' : 'noising'; // flat at the clean run
      const point = { at: direction === 'noising' ? 1 : 0, weight: 1 };
      await withEngine({ model: scene.model, runtime: createReferenceRuntime() }, (exact) =>
        withSession(exact, LATE, { metric, direction }, async ({ ask, bound, prompts }) => {
          const examples = LATE.examples.length;
          const scores = byEdge(await edgeGradients(bound, [point], prompts), examples);
          const edges = Array.from({ length: exact.universe.edgeCount }, (_, edge) => edge).filter((e) => e % 5 === 0);
          const cut = (weight: number): Question[] => edges.map((edge) => ({ kind: 'edge', edge, weight }));
          const [above, below] = [await ask(cut(STEP)), await ask(cut(-STEP))];
          const slopes = edges.flatMap((_, i) => [...above[i]!].map((x, b) => (x - below[i]![b]!) / (2 * STEP)));
          const found = edges.flatMap((edge) => [...scores.subarray(edge * examples, (edge + 1) * examples)]);
          expectNear(found, slopes, 1e-6);
        }),
      );
    });
  });

describe('kl-divergence at the clean run', () => {
  it('is 0, and so is its gradient', async () => {
    const scene = await sceneOf(Object.keys(SHAPES)[0]!);
    await withEngine({ model: scene.model, runtime: createReferenceRuntime() }, (engine) =>
      withSession(
        engine,
        BATCH,
        { metric: 'kl-divergence', direction: 'noising' },
        async ({ clean, corrupt, bound, prompts }) => {
          expect(Math.max(...clean.map(Math.abs))).to.be.below(1e-12);
          expect([...corrupt].every((x) => x < -1e-3)).to.equal(true);
          const scores = await edgeGradients(bound, [{ at: 1, weight: 1 }], prompts);
          expect(Math.max(...scores.map(Math.abs))).to.be.below(1e-12);
        },
      ),
    );
  });
});
