/** A GPT-NeoX with sequential blocks against numbers that other people's libraries computed: rotary on a quarter of each head. */
import { Engine } from '../../src/engine/core/engine.js';
import { edgeGradients } from '../../src/engine/gradients/gradient.js';
import { withSession } from '../../src/engine/questions/session.js';
import { loadModel } from '../../src/model/load.js';
import type { Model } from '../../src/model/types.js';
import type { Runtime } from '../../src/runtime/types.js';
import { byEdge, effects, expectNear, logitsOf } from '../helpers/engine.js';
import { golden } from '../helpers/model-files.js';
import { readPeer } from '../helpers/peer.js';
import { onEveryRuntime } from '../runtime/available.js';

await onEveryRuntime(
  'the gpt_neox-sequential golden',
  ({ key, create }) => {
    const tolerance = key === 'reference' ? 1e-9 : 1e-4;
    const peer = readPeer('gpt_neox-sequential');
    const { batch } = peer;
    let [model, runtime, engine] = [null, null, null] as unknown as [Model, Runtime, Engine];
    before(async () => {
      model = await loadModel(golden('architectures/gpt_neox-sequential'));
      runtime = await create();
      engine = new Engine(model, runtime);
    });
    after(async () => {
      await engine.dispose();
      await runtime.dispose();
      await model.dispose();
    });

    it('logits at every position', async () => {
      const ids = batch.examples.map(({ clean }) => clean);
      expectNear(await logitsOf(engine, ids), peer.golden('clean.logits').values, tolerance);
    });

    for (const direction of ['noising', 'denoising'] as const)
      it(`exact effects of edges, ${direction}`, () =>
        withSession(engine, batch, { metric: 'logit-difference', direction }, async (session) => {
          const edges = Array.from({ length: engine.universe.edgeCount }, (_, edge) => ({
            kind: 'edge' as const,
            edge,
          }));
          expectNear(await effects(session, edges), peer.edges(`exact.${direction}`).values, tolerance);
        }));

    it('EAP', () =>
      withSession(engine, batch, { metric: 'logit-difference', direction: 'noising' }, async ({ bound, prompts }) => {
        const scores = await edgeGradients(bound, [{ at: 1, weight: 1 }], prompts);
        expectNear(byEdge(scores, batch.examples.length), peer.edges('EAP').values, tolerance);
      }));
  },
  (key) => ['onnx', 'reference'].includes(key),
);
