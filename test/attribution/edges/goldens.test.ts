/** Scores of every method that a peer has, on tiny random models; theirs count the metric's change, ours what is lost. */
import { findMethod, type EdgeOptions } from '../../../src/attribution/edges/index.js';
import { nodeScores } from '../../../src/attribution/edges/node-scores.js';
import { Engine } from '../../../src/engine/core/engine.js';
import { makeSource } from '../../../src/engine/sources/index.js';
import type { SourceKind } from '../../../src/engine/sources/kinds.js';
import { loadModel } from '../../../src/model/load.js';
import type { Model } from '../../../src/model/types.js';
import type { Runtime } from '../../../src/runtime/types.js';
import { byEdge, expectNear } from '../../helpers/engine.js';
import { golden } from '../../helpers/model-files.js';
import { readPeer, type Peer } from '../../helpers/peer.js';
import { onEveryRuntime } from '../../runtime/available.js';
import { everyOption, type EveryContext } from '../../helpers/options.js';

interface Case {
  readonly table: string;
  readonly method: string;
  readonly options?: EdgeOptions;
  readonly source?: SourceKind;
  /** of the peer's numbers */
  readonly sign?: 1 | -1;
  /** what the table should hold, where the peer's lacks something */
  readonly expected?: (of: { edges: Peer['edges']; engine: Engine; table: string }) => Float64Array;
}

const CASES: readonly Case[] = [
  { table: 'EAP', method: 'eap' },
  { table: 'EAP-zero', method: 'eap', source: 'zero' },
  { table: 'EAP-IG-inputs-5', method: 'eap-ig', options: { steps: 5, rule: 'left' } },
  { table: 'clean-corrupted', method: 'clean-corrupted' },
  { table: 'clean-corrupted', method: 'eap-ig', options: { steps: 2, rule: 'trapezoid' } },
  {
    table: 'EAP-IG-activations-5',
    method: 'eap-ig-activations',
    options: { steps: 5, rule: 'right' },
    expected: withEmbeddingRuns,
  },
  { table: 'information-flow-routes', method: 'information-flow-routes', sign: 1 },
];

/**
 * Without learned positions the peer's hooks do not fire on an embedding that it set itself, so the runs along the embedding's line
 * are missing at the readers of the embedding alone. They are EAP-IG's with right points: left ones, without the corrupt end, with
 * the clean one.
 */
function withEmbeddingRuns({
  edges,
  engine: { model, universe },
  table,
}: {
  edges: Peer['edges'];
  engine: Engine;
  table: string;
}): Float64Array {
  const { values } = edges(table);
  if (model.config.positional === 'learned') return values;
  const [left, clean, corrupt] = ['EAP-IG-inputs-5', 'EAP', 'EAP-IG-inputs-1'].map((name) => edges(name).values);
  const groups = 2 * model.config.nLayers + 1;
  const examples = values.length / universe.edgeCount;
  return values.map((x, i) => {
    const { layer, senderCount } = universe.readers[universe.edgeReader[Math.floor(i / examples)]!]!;
    return layer > 0 || senderCount > 1 ? x : x + (left![i]! + (clean![i]! - corrupt![i]!) / 5) / groups;
  });
}

for (const architecture of ['gpt2', 'llama', 'gpt_neox'])
  await onEveryRuntime(
    `the ${architecture} golden`,
    ({ key, create }) => {
      const tolerance = key === 'reference' ? 1e-9 : 1e-4;
      const { batch, edges } = readPeer(architecture);
      const examples = batch.examples.length;
      let [model, runtime, engine] = [null, null, null] as unknown as [Model, Runtime, Engine];
      before(async () => {
        model = await loadModel(golden('architectures', architecture));
        runtime = await create();
        engine = new Engine(model, runtime);
      });
      after(async () => {
        await engine.dispose();
        await runtime.dispose();
        await model.dispose();
      });

      const contextOf = async ({ options, source }: Case): Promise<EveryContext> => ({
        engine,
        examples: batch.examples,
        metric: 'logit-difference',
        options: everyOption(options),
        signal: new AbortController().signal,
        onProgress: () => undefined,
        ...(source ? { source: await makeSource(engine, source, { batches: [batch], side: 'corrupt' }) } : {}),
      });

      for (const one of CASES)
        it(`${one.table}: ${one.method} ${JSON.stringify(one.options ?? {})}`, async () => {
          const { scores } = await findMethod(one.method).run(await contextOf(one));
          const given = one.expected?.({ edges, engine, table: one.table }) ?? edges(one.table).values;
          const expected = given.map((x) => x * (one.sign ?? -1));
          // kept per example in float32, mean in float64
          expectNear(byEdge(scores.perExample!, examples), expected, Math.max(tolerance, 1e-7));
          const means = Float64Array.from(scores.mean, (_, edge) =>
            expected.subarray(edge * examples, (edge + 1) * examples).reduce((sum, x) => sum + x / examples, 0),
          );
          expectNear(scores.mean, means, tolerance);
        });

      it('nodes.EAP: attribution patching of nodes is the sum over outgoing edges', async () => {
        const { scores } = await findMethod('eap').run(await contextOf({ table: 'EAP', method: 'eap' }));
        const { values } = edges('nodes.EAP');
        const means = Float64Array.from(engine.universe.senders, (_, node) =>
          values.subarray(node * examples, (node + 1) * examples).reduce((sum, x) => sum - x / examples, 0),
        );
        expectNear(nodeScores(engine.universe, scores.mean), means, tolerance);
      });
    },
    (key) => ['onnx', 'reference'].includes(key),
  );
