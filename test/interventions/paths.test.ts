/** Path patching against peers' tables, against circuits that hold the same paths, and what it refuses. */
import { expect } from 'chai';
import { makeUniverse } from '../../src/circuit/universe.js';
import { nodeOfReader } from '../../src/circuit/universe.js';
import type { Universe } from '../../src/circuit/types.js';
import type { Direction } from '../../src/engine/sources/kinds.js';
import { withSession } from '../../src/engine/questions/session.js';
import { runGrids, type PatchingGrid } from '../../src/interventions/patching/patching.js';
import { planPath, type PathRequest } from '../../src/interventions/patching/paths.js';
import { loadModel } from '../../src/model/load.js';
import type { Model, ModelConfig } from '../../src/model/types.js';
import { createRuntime, type Runtime } from '../../src/runtime/index.js';
import type { Example } from '../../src/task/types.js';
import { batchOf, contrast, expectNear, withEngine } from '../helpers/engine.js';
import { handMade } from '../helpers/models/hand-made.js';
import { golden, refused } from '../helpers/model-files.js';
import { pairsOf, tablesOf } from '../helpers/peer-pairs.js';
import { randomModel } from '../helpers/models/random-model.js';
import { onEveryRuntime } from '../runtime/available.js';

const METRIC = 'logit-difference';
type Asked = Partial<PathRequest> & Pick<PathRequest, 'path'> & { readonly direction?: Direction };

const DEFAULTS = { mlps: 'kept', senders: 'each', receivers: 'each' } as const;

const universeOf = ({ nLayers, nHeads, dMlp, parallelBlocks }: ModelConfig): Universe =>
  makeUniverse({ nLayers, nHeads, hasMlp: dMlp > 0, parallelBlocks });

async function run(
  { model, runtime }: { model: Model; runtime: Runtime },
  examples: readonly Example[],
  { direction = 'noising', ...asked }: Asked,
): Promise<PatchingGrid & { clean: Float64Array; corrupt: Float64Array }> {
  const plan = planPath(universeOf(model.config), examples, { ...DEFAULTS, ...asked });
  return withEngine({ model, runtime }, async (engine) => {
    const { grids, clean, corrupt } = await runGrids(engine, examples, { metric: METRIC, direction, grids: [plan] });
    return { ...grids[0]!, clean, corrupt };
  });
}

const KEYS = ['q', 'k', 'v'];

for (const architecture of ['gpt2', 'llama', 'gpt_neox'])
  await onEveryRuntime(
    `path patching of every head of the ${architecture} golden`,
    ({ key, create }) => {
      const tolerance = key === 'reference' ? 1e-9 : 1e-4;
      const examples = pairsOf(architecture);
      const table = tablesOf(architecture, 'patching');
      let of: { model: Model; runtime: Runtime };
      before(
        async () => (of = { model: await loadModel(golden('architectures', architecture)), runtime: await create() }),
      );
      after(async () => {
        await of.runtime.dispose();
        await of.model.dispose();
      });
      for (const mlps of ['kept', 'recomputed'] as const) {
        it(`into queries, keys and values of every later head, MLPs ${mlps}`, async () => {
          const { values, shape } = table(`path.mlps_${mlps}.head`);
          const [layers = 0, heads = 0, , , , count = 0] = shape;
          const { perExample, plan, clean } = await run(of, examples, { path: 'a*.* -> a*.*<*>', mlps });
          const [senders, receivers] = plan.axes.map(({ labels }) => labels);
          expect(senders).to.have.lengthOf((layers - 1) * heads); // the last layer's heads have no later head
          expect(receivers).to.have.lengthOf(3 * (layers - 1) * heads);
          const expected = plan.axes[0]!.labels.flatMap((sender) =>
            plan.axes[1]!.labels.flatMap((receiver) => {
              const [l = 0, h = 0] = sender.match(/\d+/g)!.map(Number);
              const [m = 0, i = 0] = receiver.match(/\d+/g)!.map(Number);
              const role = KEYS.indexOf(receiver.at(-2)!);
              const at = ((((l * heads + h) * layers + m) * heads + i) * 3 + role) * count;
              return Array.from({ length: count }, (_, e) => (m > l ? values[at + e]! : 0));
            }),
          );
          expectNear(
            perExample.map((value, i) => value - clean[i % count]!),
            expected,
            tolerance,
          );
        });

        it(`into the logits, MLPs ${mlps}`, async () => {
          const { perExample, clean } = await run(of, examples, { path: 'a*.* -> logits', mlps });
          const { values } = table(`path.mlps_${mlps}.logits`);
          expectNear(
            perExample.map((value, i) => value - clean[i % clean.length]!),
            values,
            tolerance,
          );
        });
      }
    },
    (key) => key === 'onnx' || key === 'reference',
  );

describe('paths of several hops', () => {
  const pair = (clean: number[], corrupt: number[], spans: Example['spans'] = {}): Example => ({
    ...batchOf([{ clean, corrupt, answers: [contrast(clean.length - 1, 1, 2)] }]).examples[0]!,
    spans,
  });
  const pairs = [pair([1, 2, 3, 4], [1, 5, 3, 4]), pair([2, 2, 6, 7], [3, 2, 0, 7])];
  let runtime: Runtime;
  before(async () => (runtime = await createRuntime('reference', { threads: 1 })));
  after(() => runtime.dispose());

  /** Everything that the sender depends on, and the edges named. */
  const keepOf = (universe: Universe, sender: number, edges: readonly string[]): Uint8Array => {
    const keep = new Uint8Array(universe.edgeCount);
    for (let edge = 0; edge < universe.edgeCount; edge++) {
      const node = nodeOfReader(universe, universe.edgeReader[edge]!);
      if (node >= 0 && node <= sender) keep[edge] = 1;
    }
    for (const edge of edges) keep[universe.edgeIndex(edge)!] = 1;
    return keep;
  };

  /** The path's edges over a clean background: the circuit that answers the corrupt run's question, clean values elsewhere. */
  const circuit = async (model: Model, sender: string, edges: readonly string[]): Promise<Float64Array> =>
    withEngine({ model, runtime }, (engine) =>
      withSession(engine, batchOf(pairs), { metric: METRIC, direction: 'denoising' }, async (session) => {
        const keep = keepOf(engine.universe, engine.universe.senderIndex(sender)!, edges);
        return (await session.ask([{ kind: 'circuit', keep }]))[0]!;
      }),
    );

  const shapes: Readonly<Record<string, Partial<ModelConfig>>> = {
    sequential: {},
    parallel: { parallelBlocks: true },
    rotary: { positional: 'none', rotary: { base: 100, dims: 4, adjacentPairs: false } },
  };
  for (const [name, shape] of Object.entries(shapes))
    it(`are the circuits that hold just their edges (${name} blocks)`, async () => {
      const model = randomModel({ nLayers: 4, ...shape }, 11);
      for (const [path, edges] of [
        ['a0.1 -> a1.0<k> -> a3.1<v> -> logits', ['a0.h1->a1.h0<k>', 'a1.h0->a3.h1<v>', 'a3.h1->logits']],
        ['a0.h0 -> m1 -> a2.h1<q> -> logits', ['a0.h0->m1', 'm1->a2.h1<q>', 'a2.h1->logits']],
        ['m0 -> a2.h0<*> -> m3 -> logits', [...KEYS.map((key) => `m0->a2.h0<${key}>`), 'a2.h0->m3', 'm3->logits']],
        ['input -> a1.h1<q> -> logits', ['input->a1.h1<q>', 'a1.h1->logits']],
      ] as const) {
        const [sender = ''] = edges[0].split('->');
        const { perExample } = await run({ model, runtime }, pairs, { path });
        expectNear(perExample, await circuit(model, sender, edges), 1e-12, path);
      }
    });

  it('with MLPs recomputed also hold every way through MLPs', async () => {
    const model = randomModel({ nLayers: 4 }, 12);
    const path = 'a0.h1 -> a2.h0<k> -> logits';
    const into = (from: string, mlps: number[], to: string): string[] => [
      ...[...mlps.map((l) => `m${l}`), to].map((reader) => `${from}->${reader}`),
      ...mlps.flatMap((l) => [...mlps.filter((m) => m > l).map((m) => `m${l}->m${m}`), `m${l}->${to}`]),
    ];
    const edges = [...into('a0.h1', [0, 1], 'a2.h0<k>'), ...into('a2.h0', [2, 3], 'logits')];
    const { perExample } = await run({ model, runtime }, pairs, { path, mlps: 'recomputed' });
    expectNear(perExample, await circuit(model, 'a0.h1', edges), 1e-12);
  });

  it('everything into the logits at once is the other prompt', async () => {
    const model = randomModel({}, 13);
    for (const direction of ['noising', 'denoising'] as const) {
      const found = await run({ model, runtime }, pairs, { path: '* -> logits', senders: 'together', direction });
      expectNear(found.perExample, direction === 'noising' ? found.corrupt : found.clean, 1e-12);
    }
  });

  it('receivers together are patched in one run, whatever follows them recomputed', async () => {
    const model = randomModel({ nLayers: 3 }, 14);
    const asked = { path: 'input -> a0.*<*>', receivers: 'together' } as const;
    const { perExample, plan } = await run({ model, runtime }, pairs, asked);
    expect(plan.axes.map(({ labels }) => labels)).to.deep.equal([['input'], ['a0.*<*>']]);
    const heads = { kind: 'sites', sites: [{ kind: 'z', layer: 0 }] } as const; // layer 0's heads read the input alone
    const expected = await withEngine({ model, runtime }, (engine) =>
      withSession(
        engine,
        batchOf(pairs),
        { metric: METRIC, direction: 'noising' },
        async (session) => (await session.ask([heads]))[0]!,
      ),
    );
    expectNear(perExample, expected, 1e-12);
  });

  it('are followed at the positions of @ at every stop, by hand', async () => {
    // attention is uniform, W_V W_O = 1, no norm: each head says the mean of what it reads up to its position
    const square = (data: number[]) => ({ shape: [1, 2, 2], data: Float32Array.from(data) });
    const layer = (l: number) => ({
      ...{ [`blocks.${l}.attn.W_Q`]: square([0, 0, 0, 0]), [`blocks.${l}.attn.W_K`]: square([0, 0, 0, 0]) },
      ...{ [`blocks.${l}.attn.W_V`]: square([1, 0, 0, 1]), [`blocks.${l}.attn.W_O`]: square([1, 0, 0, 1]) },
    });
    const model = handMade(
      { nLayers: 2, dVocab: 6 },
      {
        'embed.W_E': { shape: [6, 2], data: Float32Array.from([0, 1, 2, 3, 4, 5].flatMap((x) => [0, x])) },
        'unembed.W_U': { shape: [2, 2], data: Float32Array.of(1, 0, 0, 1) },
        ...layer(0),
        ...layer(1),
      },
    );
    const example = batchOf([{ clean: [0, 0, 0], corrupt: [5, 2, 4], answers: [contrast(2, 1, 0)] }]).examples;
    const effect = async (path: string, at: string) => (await run({ model, runtime }, example, { path: `${path}${at}` })).perExample[0]!; // prettier-ignore
    const path = 'input -> a0.h0<v> -> a1.h0<v>';
    const [first, second, third] = [5, 2, 4]; // what the input changes by
    // said at 0: 5; at 1: (5 + 2) / 2; at 2: (5 + 2 + 4) / 3; the last query takes the mean of all three
    expect(await effect(path, '')).to.be.closeTo(
      (first + (first + second) / 2 + (first + second + third) / 3) / 3,
      1e-12,
    );
    expect(await effect(path, '@0')).to.be.closeTo(first / 3, 1e-12);
    expect(await effect(path, '@1')).to.be.closeTo(second / 2 / 3, 1e-12);
    expect(await effect(path, '@0..1')).to.be.closeTo((first + (first + second) / 2) / 3, 1e-12);
    expect(await effect('input -> a0.h0<v> -> logits', '@1..2')).to.be.closeTo((second + third) / 3, 1e-12);
    expect(await effect('input -> a0.h0<v> -> logits', '@end')).to.be.closeTo(third / 3, 1e-12);
  });

  it('through queries and MLPs alone stay at their position: those at the judged one are all', async () => {
    const model = randomModel({ nLayers: 4 }, 16);
    for (const path of ['m0 -> a2.h0<q> -> logits', 'a0.h1 -> m1 -> a2.h1<q> -> m3 -> logits']) {
      const [whole, there] = [await run({ model, runtime }, pairs, { path }), await run({ model, runtime }, pairs, { path: `${path}@end` })]; // prettier-ignore
      expectNear(there.perExample, whole.perExample, 1e-12, path);
      expect(Math.abs(whole.perExample[0]! - whole.clean[0]!)).to.be.greaterThan(1e-9);
    }
  });

  it('change what the sender says at the positions of @ alone', async () => {
    const model = randomModel({ nLayers: 3 }, 15);
    const spans = [pair([1, 2, 3, 4], [5, 6, 7, 8], { S: [1, 3] }), pair([1, 2, 3, 4], [5, 6, 7, 8], { S: [0, 1] })];
    const of = async (at: string, examples = spans) =>
      (await run({ model, runtime }, examples, { path: `m0 -> a2.h0<k>${at}` })).perExample;
    const split = [await of('@0', [spans[0]!]), await of('@1..2', [spans[0]!])];
    expectNear(await of('@S'), [split[1]![0]!, (await of('@0', [spans[1]!]))[0]!], 1e-12, 'a span of each example');
    expectNear(await of('@0..end'), await of(''), 1e-12, 'all positions');
    expect(Math.abs(split[0]![0]! - split[1]![0]!)).to.be.greaterThan(1e-9);
  });
});

describe('planning paths', () => {
  const config = randomModel({ nLayers: 3 }, 1).config;
  const plan = (path: string, asked: Partial<PathRequest> = {}, of: Partial<ModelConfig> = {}) =>
    Promise.resolve().then(() =>
      planPath(
        universeOf({ ...config, ...of }),
        batchOf([{ clean: [1, 2], corrupt: [1, 3], answers: [contrast(1, 1, 2)] }]).examples,
        {
          ...DEFAULTS,
          ...asked,
          path,
        },
      ),
    );
  const labels = async (...asked: Parameters<typeof plan>) => (await plan(...asked)).axes.map((axis) => axis.labels);

  it('leaves out what no path reaches', async () => {
    expect(await labels('a*.* -> a1.*<q> -> m*')).to.deep.equal([
      ['a0.h0', 'a0.h1'],
      ['m1', 'm2'],
    ]);
    expect(await labels('a*.h0 -> m1', {}, { parallelBlocks: true })).to.deep.equal([['a0.h0'], ['m1']]);
  });

  it('refuses what leads downward, and what the model has not', async () => {
    await refused(plan('a1.h0 -> a1.h1<q>'), 'interventions/path', 'nothing leads from a1.h0 up to a1.h1<q>');
    await refused(plan('m2 -> a2.h1<q> -> logits'), 'interventions/path', 'm2 up to a2.h1<q>');
    await refused(plan('a0.h0 -> m0', {}, { parallelBlocks: true }), 'interventions/path', 'side by side');
    await refused(plan('a0.h7 -> logits'), 'interventions/path', 'no a0.h7', '0 … 2', 'h0 … h1');
    await refused(plan('a0.h1'), 'interventions/path', 'needs a sender and a receiver');
    await refused(plan('a0.h1 -> a1.h1'), 'circuit/address', 'a head needs <q>');
    await refused(plan('a0.h1 -> logits@S2'), 'interventions/positions', 'span S2 is absent from pair 0');
    await refused(plan('a0.h1 -> logits@2'), 'interventions/positions', 'no position 2', '0 … 1');
    await refused(plan('a0.h1 -> logits@0'), 'interventions/path', 'never reaches the logits', 'position 1', 'at 0');
    await refused(plan('a0.h1 -> a1.h0<v> -> logits@0'), 'interventions/path', 'never reaches the logits');
    expect(await labels('a0.h1 -> a1.h0<v>@0')).to.deep.equal([['a0.h1'], ['a1.h0<v>']]);
    expect(await labels('a0.h1 -> logits@0..end')).to.deep.equal([['a0.h1'], ['logits']]);
  });

  it('refuses the logits together with other receivers', () =>
    refused(plan('a0.h1 -> *', { receivers: 'together' }), 'interventions/path', '--receivers each'));
});
