/** Neurons as sites: against the written-out model, and laws that tie them to the output of their MLP. */
import { expect } from 'chai';
import { Engine } from '../../src/engine/core/engine.js';
import type { Question, Site } from '../../src/engine/questions/questions.js';
import { withSession, type Session } from '../../src/engine/questions/session.js';
import { makeUniverse } from '../../src/circuit/universe.js';
import { loadModel } from '../../src/model/load.js';
import { makeSource } from '../../src/engine/sources/index.js';
import { createRuntime } from '../../src/runtime/index.js';
import type { Runtime } from '../../src/runtime/types.js';
import { batchOf, effects, expectNear, withEngine } from '../helpers/engine.js';
import { SHAPES } from '../helpers/models/hand-made.js';
import { golden, refused } from '../helpers/model-files.js';
import { uniform } from '../helpers/op-cases.js';
import { pairsOf } from '../helpers/peer-pairs.js';
import { onEveryRuntime } from '../runtime/available.js';
import { Oracle } from './oracle.js';
import { expectedAnswers, sceneOf, type Scene } from './scene.js';

const METRIC = 'logit-difference';
const ask = (...sites: Site[]): Question => ({ kind: 'sites', sites });

/** One neuron, by position or not; several; in part; above and below other sites, so that the MLP is in flight or settled. */
function questionsAbout({ model, batch }: Scene, seed: number, count: number): Question[] {
  const { nLayers, nHeads, dMlp, parallelBlocks } = model.config;
  const random = uniform(seed);
  const whole = (n: number): number => Math.floor(random() * n);
  const neurons = (layer: number, some: number): Site => ({
    ...{ kind: 'neurons', layer },
    ...(some > 0 ? { neurons: Array.from({ length: some }, () => whole(dMlp)) } : {}),
    ...(random() < 0.5 ? { positions: [batch.length - 1, whole(batch.length)] } : {}),
    ...(random() < 0.3 ? { amount: whole(17) / 16 } : {}),
  });
  const FORMS: readonly ((layer: number) => Question)[] = [
    (layer) => ask(neurons(layer, 1)),
    (layer) => ask(neurons(layer, 1)),
    (layer) => ask(neurons(layer, 3)),
    (layer) => ask(neurons(layer, 0)),
    (layer) => ask(neurons(layer, 2), neurons(layer, 1)),
    (layer) => ask(neurons(layer, 2), { kind: 'mlp-out', layer, positions: [batch.length - 1], amount: 0.5 }),
    (layer) => ask({ kind: 'z', layer, heads: [whole(nHeads)] }, neurons(layer, 2)),
    (layer) => ask({ kind: 'z', layer }, neurons(layer, 1), { kind: 'mlp-out', layer, amount: 0.25 }),
    (layer) => ask({ kind: 'q', layer: 0, heads: [whole(nHeads)] }, neurons(layer, 1)),
    (layer) => ask(neurons(0, 1), neurons(layer, 4)),
  ];
  const made = Array.from({ length: count }, (_, i) => FORMS[i % FORMS.length]!(whole(nLayers)));
  return parallelBlocks ? made : [...made, ask({ kind: 'v', layer: 0, heads: [0] }, neurons(0, 2))];
}

async function expectOracle(engine: Engine, scene: Scene, tolerance: number, count = 30): Promise<void> {
  const questions = questionsAbout(scene, 4, count);
  for (const direction of ['noising', 'denoising'] as const)
    await withSession(engine, scene.batch, { metric: METRIC, direction }, async (session) => {
      const answers = await session.ask(questions);
      const expected = expectedAnswers(scene, questions, { direction, source: 'other-prompt' });
      expectNear(answers.flatMap((one) => [...one]), expected.flat(), tolerance, direction); // prettier-ignore
      expect(answers.filter((one) => one[0] !== session.base[0]).length, 'questions that change something').to.be.above(
        9,
      );
    });
}

for (const architecture of ['gpt2', 'llama', 'gpt_neox'])
  describe(`neurons of the ${architecture} golden`, () => {
    it('replaced in the written-out model, to 1e-12', async () => {
      const model = await loadModel(golden('architectures', architecture));
      const runtime = await createRuntime('reference', { threads: 1 });
      const { nLayers, nHeads, dMlp, parallelBlocks } = model.config;
      const universe = makeUniverse({ nLayers, nHeads, hasMlp: dMlp > 0, parallelBlocks });
      const batch = batchOf(pairsOf(architecture).slice(0, 2));
      const scene = { model, universe, oracle: await Oracle.of(model, universe), batch };
      await withEngine({ model, runtime }, (engine) => expectOracle(engine, scene, 1e-12, 20));
      await runtime.dispose();
      await model.dispose();
    });
  });

for (const shape of Object.keys(SHAPES).filter((name) => SHAPES[name]!.dMlp !== undefined))
  await onEveryRuntime(
    `${shape}: neurons`,
    ({ key, create }) => {
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
      const tolerance = key === 'reference' ? 1e-12 : 1e-4;
      const within = (work: (session: Session) => Promise<void>): Promise<void> =>
        withSession(engine, scene.batch, { metric: METRIC, direction: 'noising' }, work);

      it('replaced in the written-out model', () => expectOracle(engine, scene, tolerance));

      it('all of a layer together are the output of its MLP', () =>
        within(async (session) => {
          const positions = [4, 5];
          const found = await effects(session, [ask({ kind: 'neurons', layer: 1 }), ask({ kind: 'neurons', layer: 0, positions })]); // prettier-ignore
          const expected = await effects(session, [ask({ kind: 'mlp-out', layer: 1 }), ask({ kind: 'mlp-out', layer: 0, positions })]); // prettier-ignore
          expectNear(found, expected, tolerance);
        }));

      it('by itself or as one of a set, chunk by chunk or together: the same', () =>
        within(async (session) => {
          const layer = 1;
          const alone = [ask({ kind: 'neurons', layer, neurons: [3] }), ask({ kind: 'neurons', layer, neurons: [5] })];
          const both = await session.ask([...alone, ask({ kind: 'neurons', layer, neurons: [5, 3] })]);
          expectNear((await session.ask(alone)).flatMap((one) => [...one]), both.slice(0, 2).flatMap((one) => [...one]), tolerance); // prettier-ignore
          const small = new Engine(scene.model, runtime, { memoryBytes: 1, chunkTokens: 1 });
          await withSession(small, scene.batch, { metric: METRIC, direction: 'noising' }, async (other) => {
            const again = await other.ask([...alone, ask({ kind: 'neurons', layer, neurons: [5, 3] })]);
            expectNear(again.flatMap((one) => [...one]), both.flatMap((one) => [...one]), tolerance); // prettier-ignore
          });
          await small.dispose();
        }));

      it('cost the layers above theirs each, and the layer’s own neurons once', () =>
        within(async (session) => {
          const { nLayers } = scene.model.config;
          const costOf = async (layer: number, count: number) => {
            const { layerTokens, kernelRuns } = engine.counters;
            await session.ask(Array.from({ length: count }, (_, i) => ask({ kind: 'neurons', layer, neurons: [i] })));
            return { tokens: engine.counters.layerTokens - layerTokens, runs: engine.counters.kernelRuns - kernelRuns };
          };
          for (let layer = 0; layer < nLayers; layer++) {
            const [one, six] = [await costOf(layer, 1), await costOf(layer, 6)];
            const changed = scene.batch.examples.length * (scene.batch.length - 2); // from the first difference on
            expect(six.tokens).to.be.closeTo((6 * changed * (nLayers - 1 - layer)) / nLayers, 1e-9);
            expect(six.runs, 'one chunk').to.equal(one.runs);
          }
        }));

      it('are known of prompts alone: other sources are refused', async () => {
        const source = await makeSource(engine, 'zero', { batches: [], side: 'corrupt' });
        const options = { metric: METRIC, direction: 'noising', source } as const;
        await refused(
          withSession(engine, scene.batch, options, (session) => session.ask([ask({ kind: 'neurons', layer: 0 })])),
          'discovery/source',
          'neurons',
          'the whole output of the MLP',
        );
      });

      it('of no neuron, or where prompts are still equal: nothing', () =>
        within(async (session) => {
          const answers = await session.ask([
            ask({ kind: 'neurons', layer: 0, neurons: [] }),
            ask({ kind: 'neurons', layer: 0, neurons: [1], positions: [0, 1] }),
          ]);
          for (const answer of answers) expect(answer).to.deep.equal(session.base);
        }));
    },
    (key) => key !== 'tfjs-webgpu', // a graphics card imitated in software is slow
  );
