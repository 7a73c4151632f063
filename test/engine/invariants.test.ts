/** What must hold of every model on every runtime (ARCHITECTURE: numbers to hold). */
import { expect } from 'chai';
import { Engine } from '../../src/engine/core/engine.js';
import { edgeGradients } from '../../src/engine/gradients/gradient.js';
import { withSession } from '../../src/engine/questions/session.js';
import { makeSource } from '../../src/engine/sources/index.js';
import type { Runtime } from '../../src/runtime/types.js';
import { batchOf, contrast, expectNear, logitsOf } from '../helpers/engine.js';
import { SHAPES } from '../helpers/models/hand-made.js';
import { onEveryRuntime } from '../runtime/available.js';
import { expectedAnswers, randomQuestions, sceneOf, type Scene } from './scene.js';

/** Questions of each kind; a graphics card imitated in software is asked few, of one model. */
const QUESTIONS: Readonly<Record<string, number>> = { onnx: 24, 'tfjs-webgpu': 2 };
const OTHERWISE = 8;

for (const shape of Object.keys(SHAPES))
  await onEveryRuntime(
    shape,
    ({ key, create }) => {
      const tolerance = key === 'reference' ? 1e-9 : 1e-4;
      let [runtime, engine, scene] = [null, null, null] as unknown as [Runtime, Engine, Scene];
      before(async () => {
        runtime = await create();
        scene = await sceneOf(shape);
        engine = new Engine(scene.model, runtime);
      });
      after(async () => {
        await engine.dispose();
        await runtime.dispose();
      });

      it('the logits are those of the written-out model', async () => {
        const prompts = scene.batch.examples.map(({ clean }) => clean);
        const expected = prompts.flatMap((ids) => scene.oracle.run(ids).logits.flat());
        expectNear(await logitsOf(engine, prompts), expected, tolerance);
      });

      it('all edges on: every logit of the model; all edges off: of the corrupt run', async () => {
        const [{ clean, corrupt }] = scene.batch.examples as unknown as [Scene['batch']['examples'][number]];
        const last = clean.length - 1;
        const ids = Array.from({ length: 5 }, (_, id) => id);
        const alone = ids.map((id) => ({ ...contrast(last, id, 0), incorrect: { ids: [], weights: [] } }));
        const batch = batchOf(alone.map((answer) => ({ clean, corrupt, answers: [answer] })));
        await withSession(engine, batch, { metric: 'logit-difference', direction: 'noising' }, async ({ ask }) => {
          const whole = new Uint8Array(engine.universe.edgeCount);
          const [on, off] = await ask(
            [whole.fill(1).slice(), whole.fill(0)].map((keep) => ({ kind: 'circuit', keep })),
          );
          const expected = [clean, corrupt].map((prompt) => scene.oracle.run(prompt).logits[last]!.slice(0, 5));
          expectNear(on!, expected[0]!, 1e-5, 'on');
          expectNear(off!, expected[1]!, 1e-5, 'off');
        });
      });

      for (const source of ['other-prompt', 'zero'] as const)
        for (const direction of source === 'other-prompt'
          ? (['noising', 'denoising'] as const)
          : (['noising'] as const))
          for (const kind of ['circuit', 'edge', 'sites'] as const)
            it(`${kind} questions, ${direction}, source ${source}: what substitution reader by reader gives`, async () => {
              const count = QUESTIONS[key] ?? OTHERWISE;
              const questions = randomQuestions(scene, count, 3)[kind];
              const made = { source: await makeSource(engine, source, { batches: [], side: 'corrupt' }) };
              await withSession(
                engine,
                scene.batch,
                { metric: 'logit-difference', direction, ...made },
                async (session) => {
                  const answers = await session.ask(questions);
                  const expected = expectedAnswers(scene, questions, { direction, source });
                  expectNear(
                    answers.flatMap((one) => [...one]),
                    expected.flat(),
                    tolerance,
                  );
                },
              );
            });

      it('clean = corrupt: every score is exactly 0, every answer exactly the unpatched metric', async () => {
        const same = batchOf(scene.batch.examples.map(({ clean, answers }) => ({ clean, corrupt: clean, answers })));
        await withSession(engine, same, { metric: 'logit-difference', direction: 'noising' }, async (session) => {
          const scores = await edgeGradients(session.bound, [{ at: 1, weight: 1 }], session.prompts);
          expect([...scores].every((score) => score === 0)).to.equal(true);
          const { edge, sites } = randomQuestions(scene, 4, 9);
          for (const answer of await session.ask([...edge, ...sites]))
            expect([...answer]).to.deep.equal([...session.base]);
          const [all] = await session.ask(randomQuestions(scene, 1, 9).circuit);
          expectNear(all!, session.base, tolerance);
        });
      });
    },
    (key) => key !== 'tfjs-webgpu' || shape === Object.keys(SHAPES)[0],
  );
