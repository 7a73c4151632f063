/** A model with norms before and after, windows, soft caps and scaled embeddings, against what other people's libraries computed. */
import { expect } from 'chai';
import { nodeScores } from '../../src/attribution/edges/node-scores.js';
import { Engine } from '../../src/engine/core/engine.js';
import { edgeGradients } from '../../src/engine/gradients/gradient.js';
import { informationFlow } from '../../src/engine/gradients/information-flow.js';
import { neuronGradients } from '../../src/engine/gradients/neuron-gradient.js';
import { residualGradients } from '../../src/engine/gradients/residual-gradient.js';
import type { Question, Site, SiteKind } from '../../src/engine/questions/questions.js';
import { withScrubPool } from '../../src/engine/questions/scrub.js';
import { withSession, type Session } from '../../src/engine/questions/session.js';
import { makeSource } from '../../src/engine/sources/index.js';
import type { Direction, SourceKind } from '../../src/engine/sources/kinds.js';
import { loadModel } from '../../src/model/load.js';
import type { Model } from '../../src/model/types.js';
import { createRuntime } from '../../src/runtime/index.js';
import type { Runtime } from '../../src/runtime/types.js';
import { batchOf, contrast, effects, expectNear, logitsOf, withEngine } from '../helpers/engine.js';
import { golden, refused } from '../helpers/model-files.js';
import { NORMED_WRITES, randomModel, SHAPES } from '../helpers/models/hand-made.js';
import { readPeer } from '../helpers/peer.js';
import { onEveryRuntime } from '../runtime/available.js';

const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);
const sites = (of: Site): Question => ({ kind: 'sites', sites: [of] });

await onEveryRuntime(
  'the gemma2 golden',
  ({ key, create }) => {
    const tolerance = key === 'reference' ? 1e-9 : 1e-4;
    const stride = key === 'reference' ? 7 : 1;
    const peer = readPeer('gemma2');
    const { batch } = peer;
    const examples = batch.examples.length;
    let [model, runtime, engine] = [null, null, null] as unknown as [Model, Runtime, Engine];
    before(async () => {
      model = await loadModel(golden('architectures/gemma2'));
      runtime = await create();
      engine = new Engine(model, runtime);
    });
    after(async () => {
      await engine.dispose();
      await runtime.dispose();
      await model.dispose();
    });

    const session = async <T>(
      work: (session: Session) => Promise<T>,
      direction: Direction = 'noising',
      kind?: SourceKind,
    ): Promise<T> => {
      const own = kind && { source: await makeSource(engine, kind, { batches: [batch], side: 'corrupt' }) };
      return withSession(engine, batch, { metric: 'logit-difference', direction, ...own }, work);
    };

    /** Every n-th question, against the same rows of the peer's table [question, example]. */
    const compare = async (
      given: Session,
      questions: readonly Question[],
      values: ArrayLike<number>,
    ): Promise<void> => {
      expectNear([values.length / examples], [questions.length], 0, 'rows of the table');
      const asked = range(questions.length).filter((i) => i % stride === 0);
      const rows = asked.flatMap((i) => range(examples).map((example) => values[i * examples + example]!));
      const found = await effects(
        given,
        asked.map((i) => questions[i]!),
      );
      expectNear(found, rows, tolerance);
    };

    it('logits at every position', async () => {
      const ids = batch.examples.map(({ clean }) => clean);
      expectNear(await logitsOf(engine, ids), peer.golden('clean.logits').values, tolerance);
    });

    it('the metric of both prompts, which the cap on the logits bends', () =>
      session(async ({ clean, corrupt }) => {
        expectNear(clean, peer.edges('base.clean').values, tolerance);
        expectNear(corrupt, peer.edges('base.corrupt').values, tolerance);
      }));

    it('the gradient of the metric at every residual site', () =>
      session(async ({ bound }) => {
        const gradients = await residualGradients(engine, batch, { side: 'clean', judge: bound.judge });
        const streams = [...gradients.pre, gradients.final];
        const found = await Promise.all(streams.map(async (one) => [...(await one.read())]));
        const perExample = peer.golden('clean.grad_hidden').values.map((x) => x * examples); // of the mean over examples
        expectNear(found.flat(), perExample, tolerance);
        gradients.dispose();
      }));

    const without = (edge: number): Question => {
      const keep = new Uint8Array(engine.universe.edgeCount).fill(1);
      keep[edge] = 0;
      return { kind: 'circuit', keep };
    };
    const node = ({ kind, layer, head }: Engine['universe']['senders'][number]): Question => {
      if (kind === 'input') return sites({ kind: 'resid-pre', layer: 0 });
      return kind === 'mlp' ? sites({ kind: 'mlp-out', layer }) : sites({ kind: 'z', layer, heads: [head] });
    };
    for (const direction of ['noising', 'denoising'] as const) {
      const exact = () => peer.edges(`exact.${direction}`).values;
      const edges = (ask: (edge: number) => Question) => range(engine.universe.edgeCount).map(ask);

      it(`exact effects of edges, each reader with the norm of its own mixture of heads, ${direction}`, () =>
        session(
          (given) =>
            compare(
              given,
              edges((edge) => ({ kind: 'edge', edge })),
              exact(),
            ),
          direction,
        ));

      it(`the same from circuits that lack one edge, ${direction}`, () =>
        session((given) => compare(given, edges(without), exact()), direction));

      it(`whole nodes replaced, ${direction}`, () =>
        session(
          (given) => compare(given, engine.universe.senders.map(node), peer.edges(`nodes.${direction}`).values),
          direction,
        ));

      const layers = (ask: (layer: number) => Question[]) => range(model.config.nLayers).flatMap(ask);
      const byPosition = (kind: SiteKind) => () =>
        layers((layer) => range(batch.length).map((position) => sites({ kind, layer, positions: [position] })));
      const byHead = (kind: SiteKind) => () =>
        layers((layer) => range(model.config.nHeads).map((head) => sites({ kind, layer, heads: [head] })));
      const GRIDS: Readonly<Record<string, () => Question[]>> = {
        resid_pre: byPosition('resid-pre'),
        attn_out: byPosition('attention-out'),
        mlp_out: byPosition('mlp-out'),
        head_out_all_pos: byHead('z'),
        head_q_all_pos: byHead('q'),
        head_k_all_pos: byHead('k'),
        head_v_all_pos: byHead('v'),
        head_pattern_all_pos: byHead('pattern'),
      };
      for (const [name, questions] of Object.entries(GRIDS))
        it(`activation patching of ${name}, ${direction}`, () =>
          session((given) => compare(given, questions(), peer.patching(`${direction}.${name}`).values), direction));
    }

    it('whole nodes zeroed', () =>
      session(
        (given) => compare(given, engine.universe.senders.map(node), peer.edges('nodes.zero').values),
        'noising',
        'zero',
      ));

    it('attribution patching of nodes, which is what the scores of their edges add up to', () =>
      session(async ({ bound, prompts }) => {
        const scores = await edgeGradients(bound, [{ at: 1, weight: 1 }], prompts);
        const { universe } = engine;
        const found = range(examples).map((e) =>
          nodeScores(universe, scores.subarray(e * universe.edgeCount, (e + 1) * universe.edgeCount)),
        );
        const byNode = universe.senders.flatMap((_, sender) => found.map((one) => one[sender]!));
        expectNear(byNode, peer.edges('nodes.EAP').values, tolerance);
      }));

    it('random circuits', () =>
      session(async (given) => {
        const kept = peer.edges('circuits.pruned');
        const [circuits, edges] = kept.shape as [number, number];
        const asked = range(circuits).filter((i) => i % Math.min(stride, 5) === 0);
        const keep = asked.map((i) => Uint8Array.from(kept.values.subarray(i * edges, (i + 1) * edges)));
        const answers = await given.ask(keep.map((one) => ({ kind: 'circuit', keep: one })));
        const { values } = peer.edges('circuits.patching');
        const rows = asked.flatMap((i) => [...values.subarray(i * examples, (i + 1) * examples)]);
        expectNear(
          answers.flatMap((one) => [...one]),
          rows,
          tolerance,
        );
      }));
  },
  (key) => key === 'onnx' || key === 'reference',
);

describe('what is defined through writes that add up, in a model that norms them', () => {
  it('is refused before anything is computed', async () => {
    const model = randomModel(SHAPES[NORMED_WRITES]!, 5);
    const runtime = await createRuntime('reference', { threads: 1 });
    const batch = batchOf([{ clean: [1, 2, 3], corrupt: [1, 4, 3], answers: [contrast(2, 0, 1)] }]);
    await withEngine({ model, runtime }, async (engine) => {
      const metric = 'logit-difference';
      await refused(informationFlow(engine, batch), 'model/post-norm', 'share of a stream', 'eap-ig or exact');
      await refused(
        withScrubPool(engine, batch, metric, () => Promise.resolve()),
        'model/post-norm',
      );
      expect(engine.counters.kernelRuns).to.equal(0);
      await withSession(engine, batch, { metric, direction: 'noising' }, async ({ bound, prompts }) => {
        const points = [{ at: 1, weight: 1 }];
        await refused(neuronGradients(bound, points, { ...prompts, layers: [0] }), 'model/post-norm', 'single neurons');
      });
    });
    await runtime.dispose();
  });
});
