/** Edges out of and into single neurons: estimates and cuts. */
import { expect } from 'chai';
import type { Engine } from '../../../src/engine/core/engine.js';
import { edgeGradients, type Point } from '../../../src/engine/gradients/gradient.js';
import { neuronGradients } from '../../../src/engine/gradients/neuron-gradient.js';
import type { EdgeNeuron, Question } from '../../../src/engine/questions/questions.js';
import { riemannPoints } from '../../../src/engine/gradients/riemann.js';
import { withSession, type Session } from '../../../src/engine/questions/session.js';
import type { ModelConfig } from '../../../src/model/types.js';
import { createRuntime, type Runtime } from '../../../src/runtime/index.js';
import { batchOf, expectNear, withEngine } from '../../helpers/engine.js';
import { randomModel, NORMED_WRITES, SHAPES } from '../../helpers/models/hand-made.js';
import { onEveryRuntime } from '../../runtime/available.js';
import { pairAt } from '../scene.js';

/** Every shape, the attention-only one given MLPs. */
const { [NORMED_WRITES]: _, ...ADDED } = SHAPES;
const WITH_MLPS = Object.entries(ADDED).map(([name, shape]) => [name, { dMlp: 7, ...shape }] as const);
const BATCH = batchOf([pairAt(2, 1), pairAt(3, 2)]);
const CLEAN: readonly Point[] = [{ at: 1, weight: 1 }];

const onModel = (
  { runtime, shape, seed = 5 }: { runtime: Runtime; shape: Partial<ModelConfig>; seed?: number },
  work: (session: Session, engine: Engine) => Promise<void>,
): Promise<void> =>
  withEngine({ model: randomModel(shape, seed), runtime }, (engine) =>
    withSession(engine, BATCH, { metric: 'logit-difference', direction: 'noising' }, (session) =>
      work(session, engine),
    ),
  );

const total = (values: Float64Array): number => values.reduce((sum, x) => sum + x, 0);

/** Σ over examples of d metric / d weight as a neuron's edge is cut, by central differences. */
async function slopes(session: Session, cuts: readonly { edge: number; neuron: EdgeNeuron }[]): Promise<number[]> {
  const step = 1e-4;
  const at = (weight: number): Question[] => cuts.map((cut) => ({ kind: 'edge', ...cut, weight }));
  const [up, down] = [await session.ask(at(step)), await session.ask(at(-step))];
  return cuts.map((_, i) => (total(up[i]!) - total(down[i]!)) / (2 * step));
}

const estimate = ({ bound }: Session, points: readonly Point[], layers: readonly number[]) =>
  neuronGradients(bound, points, { layers, clean: bound.base, corrupt: bound.alternative });

describe('edges of single neurons', () => {
  let runtime: Runtime;
  before(async () => void (runtime = await createRuntime('reference', { threads: 1 })));

  for (const [name, shape] of WITH_MLPS) {
    it(`${name}: an estimate is the slope of the metric as the neuron’s edge is cut`, () =>
      onModel({ runtime, shape }, async (session, { universe, model: { config } }) => {
        const { dMlp } = config;
        for (const { layer, out, into } of await estimate(session, CLEAN, [0, config.nLayers - 1])) {
          const sender = universe.senderIndex(`m${layer}`)!;
          const reader = universe.readerIndex(`m${layer}`)!;
          const outs = Array.from(out, (_, i) => ({ neuron: Math.floor(i / universe.readers.length), edge: universe.edgeBetween(sender, i % universe.readers.length) })); // prettier-ignore
          const present = outs.filter(({ edge }) => edge >= 0);
          const found = await slopes(session, present.map(({ edge, neuron }) => ({ edge, neuron: { from: neuron } }))); // prettier-ignore
          expectNear(out.filter((_, i) => outs[i]!.edge >= 0), found, 1e-6, `out of layer ${layer}`); // prettier-ignore
          const ins = Array.from(into, (_, i) => ({ edge: universe.edgeBetween(Math.floor(i / dMlp), reader), neuron: { into: i % dMlp } })); // prettier-ignore
          expectNear(into, await slopes(session, ins), 1e-6, `into layer ${layer}`);
        }
      }));

    it(`${name}: the neurons’ edges add up to the MLP’s, at one point and over several`, () =>
      onModel({ runtime, shape }, async (session, { universe, model: { config } }) => {
        const { bound } = session;
        for (const points of [CLEAN, riemannPoints('midpoint', 3)]) {
          const all = await edgeGradients(bound, points, { clean: bound.base, corrupt: bound.alternative });
          const edge = (sender: number, reader: number): number => {
            const index = universe.edgeBetween(sender, reader);
            return index < 0 ? 0 : BATCH.examples.reduce((sum, _, e) => sum + all[e * universe.edgeCount + index]!, 0);
          };
          for (const { layer, out, into } of await estimate(session, points, [0, 1])) {
            const sender = universe.senderIndex(`m${layer}`)!;
            const readers = universe.readers.map((_, r) => r);
            const width = readers.length;
            const summed = readers.map((r) => total(out.filter((_, i) => i % width === r)));
            expectNear(summed, readers.map((r) => edge(sender, r)), 1e-12, 'out'); // prettier-ignore
            const reader = universe.readerIndex(`m${layer}`)!;
            const senders = Array.from({ length: into.length / config.dMlp }, (_, s) => s);
            const sums = senders.map((s) => total(into.subarray(s * config.dMlp, (s + 1) * config.dMlp)));
            expectNear(sums, senders.map((s) => edge(s, reader)), 1e-12, 'into'); // prettier-ignore
          }
        }
      }));

    it(`${name}: an MLP of one neuron is that neuron, cut out of and into`, () =>
      onModel({ runtime, shape: { ...shape, dMlp: 1 } }, async ({ ask }, { universe }) => {
        const edges = Array.from({ length: universe.edgeCount }, (_, edge) => edge);
        const kinds = { from: edges.filter((e) => universe.senders[universe.edgeSender[e]!]!.kind === 'mlp'), into: edges.filter((e) => universe.readers[universe.edgeReader[e]!]!.kind === 'mlp') }; // prettier-ignore
        for (const [kind, own] of Object.entries(kinds)) {
          const whole = await ask(own.map((edge) => ({ kind: 'edge', edge })));
          const neuron = (kind === 'from' ? { from: 0 } : { into: 0 }) as EdgeNeuron;
          const single = await ask(own.map((edge) => ({ kind: 'edge', edge, neuron })));
          expectNear(single.flatMap((one) => [...one]), whole.flatMap((one) => [...one]), 1e-12, kind); // prettier-ignore
        }
      }));
  }

  it('without norms, cuts out of all neurons into the logits add up to the MLP’s', () =>
    onModel({ runtime, shape: { ...SHAPES[WITH_MLPS[0]![0]]!, norm: null } }, async (session, { universe, model }) => {
      const edge = universe.edgeIndex('m1->logits')!;
      const neurons = Array.from({ length: model.config.dMlp }, (_, from): Question => ({ kind: 'edge', edge, neuron: { from } })); // prettier-ignore
      const [whole, ...single] = await session.ask([{ kind: 'edge', edge }, ...neurons]);
      const change = (values: Float64Array): number => total(values) - total(session.base);
      expect(single.reduce((sum, one) => sum + change(one), 0)).to.be.closeTo(change(whole!), 1e-12);
    }));
});

await onEveryRuntime('edges of single neurons', ({ create, tolerance }) => {
  it('are those of the reference', async () => {
    const results: Float64Array[] = [];
    for (const runtime of [await createRuntime('reference', { threads: 1 }), await create()]) {
      await onModel({ runtime, shape: WITH_MLPS[1]![1] }, async (session, { universe }) => {
        const [one] = await estimate(session, riemannPoints('midpoint', 3), [0]);
        const [out = 0, into = 0] = ['m0->logits', 'input->m1'].map((edge) => universe.edgeIndex(edge)!);
        const answers = await session.ask([
          { kind: 'edge', edge: out, neuron: { from: 3 } },
          { kind: 'edge', edge: into, neuron: { into: 2 } },
        ]);
        results.push(one!.out, one!.into, ...answers);
      });
      await runtime.dispose();
    }
    const half = results.length / 2;
    for (let i = 0; i < half; i++) expectNear(results[half + i]!, results[i]!, 10 * tolerance.gradients);
  });
});
