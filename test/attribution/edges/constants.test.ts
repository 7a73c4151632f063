/** Optimal ablation: the model under constants is the engine's, its gradient is right, and what is learned hurts least. */
import { expect } from 'chai';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { layoutOf, vectorOf, constantsFrom } from '../../../src/attribution/edges/constants/layout.js';
import { ablationLosses, learnConstants, senderKeeps } from '../../../src/attribution/edges/constants/learn.js';
import { withConstantModel } from '../../../src/attribution/edges/constants/model.js';
import { eapIg } from '../../../src/attribution/edges/methods/gradient/eap-ig.js';
import { selectCircuit } from '../../../src/circuit/select.js';
import { planBatches } from '../../../src/engine/core/batches.js';
import type { Engine } from '../../../src/engine/core/engine.js';
import type { SourceKind } from '../../../src/engine/sources/kinds.js';
import { withSession } from '../../../src/engine/questions/session.js';
import { makeSource, type AlternativeMaker, type Constants } from '../../../src/engine/sources/index.js';
import { openTask, withWorkbench } from '../../../src/jobs/workbench.js';
import { createRuntime } from '../../../src/runtime/index.js';
import type { Runtime } from '../../../src/runtime/types.js';
import { batches as groupsOfLength } from '../../../src/task/batches.js';
import type { Example } from '../../../src/task/types.js';
import { batchOf, contrast, expectNear, withEngine } from '../../helpers/engine.js';
import { randomModel as shaped, SHAPES } from '../../helpers/models/hand-made.js';
import { refused } from '../../helpers/model-files.js';
import { randomModel } from '../../helpers/models/random-model.js';
import { skipWithout } from '../../helpers/shared.js';
import { everyOption } from '../../helpers/options.js';

const EXAMPLES = batchOf([
  { clean: [1, 2, 5, 3], corrupt: [4, 2, 5, 3], answers: [contrast(3, 1, 4)] },
  { clean: [4, 2, 0, 3], corrupt: [1, 2, 1, 3], answers: [contrast(3, 4, 1)] },
  { clean: [0, 2, 4, 1], corrupt: [3, 3, 1, 2], answers: [contrast(3, 0, 3)] },
]).examples;

/** Numbers around 0, the same for everybody. */
const mixed = (count: number, by = 12.9898): Float64Array =>
  Float64Array.from({ length: count }, (_, i) => Math.sin(by * (i + 1)));
const meanOf = (values: ArrayLike<number>): number => Array.from(values).reduce((sum, x) => sum + x, 0) / values.length;

/** Zeros where nothing is learned. */
const constantsOf = (engine: Engine, vector: Float64Array): Constants => {
  const { nLayers, nHeads, dHead } = engine.model.config;
  const heads = Array.from({ length: nLayers }, (_, layer) =>
    ['q', 'k', 'v'].map((site): [string, Float64Array] => [`${site}@${layer}`, new Float64Array(nHeads * dHead)]),
  );
  return constantsFrom(layoutOf(engine.model.config, engine.universe), vector, new Map(heads.flat()));
};

const learnedSource = (engine: Engine, constants: Constants): Promise<AlternativeMaker> =>
  makeSource(engine, 'learned', { batches: [], side: 'corrupt', constants });

const sourceOf = (engine: Engine, kind: SourceKind, examples: readonly Example[]): Promise<AlternativeMaker> =>
  makeSource(engine, kind, { batches: planBatches(engine, examples).batches, side: 'corrupt' });

describe('the model under constants', () => {
  let runtime: Runtime;
  before(async () => (runtime = await createRuntime('reference', { threads: 1 })));
  after(() => runtime.dispose());

  for (const [name, shape] of Object.entries(SHAPES))
    it(`${name}: answers as the engine does, and its gradient is that of the engine's answers`, async () => {
      await withEngine({ model: shaped(shape, 3), runtime }, async (engine) => {
        const layout = layoutOf(engine.model.config, engine.universe);
        const vector = mixed(layout.size);
        const keep = Float32Array.from(mixed(engine.universe.edgeCount, 7.13), (x) => (x > 0.3 ? 1 : x > 0 ? 0.5 : 0));
        const { batches } = planBatches(engine, EXAMPLES);
        const metric = 'logit-difference';
        const asked = async (constants: Float64Array): Promise<Float64Array> => {
          const source = await learnedSource(engine, constantsOf(engine, constants));
          const options = { metric, direction: 'noising', source } as const;
          return withSession(
            engine,
            batches[0]!,
            options,
            async ({ ask }) => (await ask([{ kind: 'circuit', keep }]))[0]!,
          );
        };
        const mask = runtime.tensor(keep, [keep.length]);
        const { value, gradient } = await withConstantModel(engine, batches, { layout, metric }, ([batch]) =>
          batch!.run(vector, mask),
        );
        mask.dispose();
        expectNear(value, await asked(vector), 1e-9, 'metric');
        const places = [...layout.senders].map(({ start, end }) => (start + end) >> 1);
        const slopes: number[] = [];
        for (const place of places) {
          const [up, down] = [vector.with(place, vector[place]! + 1e-4), vector.with(place, vector[place]! - 1e-4)];
          slopes.push((meanOf(await asked(up)) - meanOf(await asked(down))) / 2e-4);
        }
        expectNear(places.map((place) => gradient[place]!), slopes, 1e-5, 'gradient'); // prettier-ignore
      });
    });
});

describe('learned constants', () => {
  let runtime: Runtime;
  before(async () => (runtime = await createRuntime('reference', { threads: 1 })));
  after(() => runtime.dispose());

  it('every sender alone: never worse than mean and zero on the reference pairs, and better for most', async () => {
    await withEngine({ model: randomModel({}, 5), runtime }, async (engine) => {
      const keeps = senderKeeps(engine);
      const losses = async (source: AlternativeMaker): Promise<Float64Array> =>
        ablationLosses(engine, EXAMPLES, { source, keeps, metric: 'kl-divergence' });
      const learned = await losses(await learnedSource(engine, await learnConstants(engine, EXAMPLES, { seed: 0 })));
      const [mean, zero] = [
        await losses(await sourceOf(engine, 'mean', EXAMPLES)),
        await losses(await sourceOf(engine, 'zero', EXAMPLES)),
      ];
      learned.forEach((loss, sender) => {
        expect(loss).to.be.at.most(mean[sender]! + 1e-12);
        expect(loss).to.be.at.most(zero[sender]! + 1e-12);
        expect(loss, 'a divergence').to.be.at.least(0);
      });
      const better = learned.filter((loss, sender) => loss < 0.9 * Math.min(mean[sender]!, zero[sender]!));
      expect(better.length).to.be.above(keeps.length / 2);
    });
  });

  it('a sender that says the same of every prompt is replaced at no loss', async () => {
    // one token, everywhere: every head and MLP says one thing
    const same = batchOf([{ clean: [1, 1, 1], corrupt: [1, 1, 1], answers: [contrast(2, 1, 4)] }]).examples;
    const model = randomModel({ positional: 'none' }, 5);
    await withEngine({ model, runtime }, async (engine) => {
      const constants = await learnConstants(engine, same, { seed: 0, updates: 3 });
      const source = await learnedSource(engine, constants);
      const losses = await ablationLosses(engine, same, {
        source,
        keeps: senderKeeps(engine),
        metric: 'kl-divergence',
      });
      expectNear([...losses, 1], [...losses.map(() => 0), 1], 1e-12);
    });
  });

  it('the same seed learns the same constants, and the task’s metric can be what is hurt least', async () => {
    await withEngine({ model: randomModel({}, 7), runtime }, async (engine) => {
      const layout = layoutOf(engine.model.config, engine.universe);
      const asked = { seed: 3, updates: 10, metric: 'logit-difference' } as const;
      const [one, two] = [await learnConstants(engine, EXAMPLES, asked), await learnConstants(engine, EXAMPLES, asked)];
      expect(vectorOf(layout, one)).to.deep.equal(vectorOf(layout, two));
      const loss = async (source: AlternativeMaker): Promise<number> =>
        meanOf(await ablationLosses(engine, EXAMPLES, { source, keeps: senderKeeps(engine), metric: asked.metric }));
      expect(await loss(await learnedSource(engine, one))).to.be.below(
        await loss(await sourceOf(engine, 'mean', EXAMPLES)),
      );
    });
  });

  it('refused before anything is computed where it would not fit', async () => {
    const options = { memoryBytes: 1000 };
    await withEngine({ model: randomModel({}, 5), runtime, options }, async (engine) => {
      await refused(learnConstants(engine, EXAMPLES, { seed: 0 }), 'discovery/memory', 'learning constants');
      expect(engine.counters.kernelRuns).to.equal(0);
    });
  });
});

describe('learned constants on the bundled IOI model', function () {
  this.timeout(300_000);
  const folder = fileURLToPath(new URL('../../../models/ioi', import.meta.url));
  before(function () {
    skipWithout(this, existsSync(folder) ? folder : null, 'models/ioi is absent');
  });

  type Kind = 'mean' | 'zero' | 'resample' | 'other-prompt';
  type Losses = Readonly<Record<'learned' | Kind, number>>;

  /** Each with the prompt of another pair of its length in the corrupt one's place; pairs that have none are left out. */
  const resampled = (examples: readonly Example[]): Example[] =>
    groupsOfLength(examples)
      .filter(({ indices }) => indices.length > 1)
      .flatMap(({ indices }) =>
        indices.map((at, i) => ({ ...examples[at]!, corrupt: examples[indices.at(i - 1)!]!.clean })),
      );
  const withAnother = (examples: readonly Example[]): Example[] => {
    const kept = new Set(resampled(examples).map(({ index }) => index));
    return examples.filter(({ index }) => kept.has(index));
  };

  /** What a circuit, or every sender alone, loses on the reference pairs and on held-out ones. */
  const compare = async (circuit: boolean): Promise<Record<'reference' | 'heldOut', Losses>> =>
    withWorkbench({ model: 'ioi', runtime: 'onnx' }, async ({ engine, model }) => {
      const request = { task: 'ioi', examples: 48, seed: 0, bos: undefined, split: true };
      const { task } = await openTask(model, request);
      const [reference, heldOut] = (['discover', 'report'] as const).map((split) =>
        withAnother(task.splits[split].map((place) => task.examples[place]!)),
      ) as [Example[], Example[]];
      const keeps = circuit ? [await circuitOf(engine, reference)] : senderKeeps(engine);
      const only = circuit ? { circuit: keeps[0]!, updates: 150 } : { updates: 20 };
      const constants = await learnConstants(engine, reference, { seed: 0, ...only });
      const loss = async (source: AlternativeMaker, examples: readonly Example[]): Promise<number> =>
        meanOf(await ablationLosses(engine, examples, { source, keeps, metric: 'kl-divergence' }));
      const all = async (examples: readonly Example[]): Promise<Losses> => {
        const otherPrompt = await sourceOf(engine, 'other-prompt', reference);
        return {
          learned: await loss(await learnedSource(engine, constants), examples),
          mean: await loss(await sourceOf(engine, 'mean', reference), examples),
          zero: await loss(await sourceOf(engine, 'zero', reference), examples),
          resample: await loss(otherPrompt, resampled(examples)),
          'other-prompt': await loss(otherPrompt, examples),
        };
      };
      return { reference: await all(reference), heldOut: await all(heldOut) };
    });

  const circuitOf = async (engine: Engine, examples: readonly Example[]): Promise<Uint8Array> => {
    const { scores } = await eapIg.run({
      ...{ engine, examples, metric: 'logit-difference', options: everyOption() },
      ...{ signal: new AbortController().signal, onProgress: () => undefined },
    });
    return selectCircuit(engine.universe, scores.mean, { rule: 'top-n', by: 'absolute', requested: 40 }).edges;
  };

  // a pair's own other prompt knows what the prompt says; where much is cut at once, another pair's prompt still knows positions
  const bounds: readonly [string, { circuit: boolean; kinds: readonly Kind[] }][] = [
    [
      "each sender alone: loses less than with zero, mean and another pair's prompt",
      { circuit: false, kinds: ['mean', 'zero', 'resample'] },
    ],
    [
      'all outside a circuit of 40 edges: loses less than with zero and mean',
      { circuit: true, kinds: ['mean', 'zero'] },
    ],
  ];
  for (const [what, { circuit, kinds }] of bounds)
    it(`${what}, on held-out pairs too`, async function () {
      const { reference, heldOut } = await compare(circuit);
      for (const losses of [reference, heldOut])
        for (const kind of kinds) expect(losses.learned, kind).to.be.below(losses[kind]);
      const nats = ({ learned, ...others }: Losses): string =>
        `${learned.toFixed(2)} (${Object.entries(others)
          .map(([kind, loss]) => `${kind} ${loss.toFixed(2)}`)
          .join(', ')})`;
      this.test!.title += `: ${nats(reference)}, held out ${nats(heldOut)} nats`;
    });
});
