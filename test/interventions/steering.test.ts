/** Doses of a steering vector: hand-worked cases, and laws that hold of any model. */
import { expect } from 'chai';
import type { SteeringSite } from '../../src/engine/questions/steered.js';
import type { Engine } from '../../src/engine/core/engine.js';
import { planPlaces } from '../../src/interventions/steering/places.js';
import {
  planContrast,
  steeringVector,
  type Contrast,
  type SteeringVector,
} from '../../src/interventions/steering/vectors.js';
import { steerTask, strongestShifts, type SteeringQuestion } from '../../src/interventions/steering/steering.js';
import type { Model } from '../../src/model/types.js';
import { createRuntime, type Runtime } from '../../src/runtime/index.js';
import type { Example } from '../../src/task/types.js';
import { batchOf, contrast, expectNear, logitsOf, withEngine } from '../helpers/engine.js';
import { handMade, randomModel as anyModel, SHAPES } from '../helpers/models/hand-made.js';
import { BATCH, MICRO } from '../helpers/models/micro.js';
import { refused } from '../helpers/model-files.js';
import { randomModel } from '../helpers/models/random-model.js';
import { onEveryRuntime } from '../runtime/available.js';

let runtime: Runtime;
before(async () => (runtime = await createRuntime('reference', { threads: 1 })));
after(() => runtime.dispose());

const pairs = batchOf([
  { clean: [3, 1, 4, 1, 5], corrupt: [2, 7, 1, 8, 2], answers: [contrast(4, 1, 2)] },
  { clean: [3, 1, 6, 0, 5], corrupt: [6, 6, 2, 6, 0], answers: [contrast(3, 4, 0), contrast(4, 0, 7)] },
]).examples;

const vectorOf = (engine: Engine, site: SteeringSite, asked: Contrast): Promise<SteeringVector> =>
  steeringVector(engine, planContrast(site, asked));

const steered = (
  engine: Engine,
  examples: readonly Example[],
  asked: Pick<SteeringQuestion, 'vector' | 'coefficients'> & { at?: string; side?: 'clean' | 'corrupt' },
) => {
  const { vector, coefficients, at, side = 'clean' } = asked;
  const places = planPlaces(examples, { rows: vector.rows, ...(at === undefined ? {} : { at }) });
  return steerTask(engine, examples, { vector, coefficients, places, side, metric: 'logit-difference' });
};

/** Everything that a model says somewhere, of two prompts. */
const SITES: readonly SteeringSite[] = [
  { kind: 'resid-pre', layer: 1 },
  { kind: 'resid-mid', layer: 1 },
  { kind: 'resid-post', layer: 0 },
  { kind: 'resid-post', layer: 2 },
  { kind: 'attention-out', layer: 1 },
  { kind: 'mlp-out', layer: 2 },
  { kind: 'z', layer: 1, head: 1 },
];

for (const [shape, config] of Object.entries(SHAPES))
  describe(`a dose of a vector (${shape})`, () => {
    const model = anyModel(config, 41);
    const sites = SITES.filter(
      ({ kind, layer }) =>
        layer < model.config.nLayers &&
        (kind !== 'mlp-out' || model.config.dMlp > 0) &&
        (kind !== 'resid-mid' || !model.config.parallelBlocks),
    );
    const examples = batchOf(
      pairs.map(({ clean, corrupt, answers }) => ({
        ...{ clean, corrupt },
        answers: answers.map(({ position }) => contrast(position, 1, 2)),
      })),
    ).examples;

    it('of 0 changes nothing, bit for bit; so does adding a vector of zeros', () =>
      withEngine({ model, runtime }, async (engine) => {
        for (const site of sites) {
          const vector = { site, rows: 1, values: Float64Array.from({ length: model.config.dModel }, (_, i) => i - 3) };
          const { unsteered, doses } = await steered(engine, examples, { vector, coefficients: [0], at: 'all' });
          const { place, coefficient, ...response } = doses[0]!;
          expect({ place, coefficient }).to.deep.equal({ place: 0, coefficient: 0 });
          expect(response).to.deep.equal(unsteered);
          const nothing = { ...vector, values: vector.values.map(() => 0) };
          const run = await steered(engine, examples, { vector: nothing, coefficients: [3], at: 'all' });
          expect(run.doses[0]!.metric).to.deep.equal(unsteered.metric);
          expect(run.doses[0]!.logProbabilities).to.deep.equal(unsteered.logProbabilities);
        }
      }));

    it('of 1 with what the corrupt prompt says there less what the clean one says is the corrupt run', () =>
      withEngine({ model, runtime }, async (engine) => {
        for (const example of examples) {
          for (const layer of [0, model.config.nLayers - 1]) {
            const site: SteeringSite = { kind: 'resid-pre', layer };
            const plus = { examples: [example], side: 'corrupt' } as const;
            const vector = await vectorOf(engine, site, {
              plus,
              minus: { examples: [example], side: 'clean' },
              read: 'each',
            });
            const { corrupt, clean, doses } = await steered(engine, [example], { vector, coefficients: [1] });
            expectNear(doses[0]!.metric, corrupt, 1e-10, `layer ${layer}`);
            const back = await steered(engine, [example], { vector, coefficients: [-1], side: 'corrupt' });
            expectNear(back.doses[0]!.metric, clean, 1e-10, `back, layer ${layer}`);
          }
        }
      }));

    it('is the same whether coefficients are asked together or alone, on prompts together or alone', () =>
      withEngine({ model, runtime }, async (engine) => {
        const vector: SteeringVector = {
          ...{ site: sites[0]!, rows: 1 },
          values: Float64Array.from({ length: model.config.dModel }, (_, i) => Math.cos(i)),
        };
        const together = await steered(engine, examples, { vector, coefficients: [-2, 0.5], at: '2' });
        for (const [i, coefficient] of [-2, 0.5].entries())
          for (const [e, example] of examples.entries()) {
            const { doses } = await steered(engine, [example], { vector, coefficients: [coefficient], at: '2' });
            expect(doses[0]!.metric[0]).to.be.closeTo(together.doses[i]!.metric[e]!, 1e-12);
            expect(doses[0]!.divergence[0]).to.be.closeTo(together.doses[i]!.divergence[e]!, 1e-12);
          }
      }));
  });

describe('what a dose does', () => {
  const example = (of: Partial<Example> = {}): Example => ({ ...pairs[0]!, ...of });
  const direction = (d: number): Float64Array => Float64Array.from({ length: d }, (_, i) => Math.sin(2 * i + 1));
  const added = (site: SteeringSite, model: Model, values = direction(model.config.dModel)): SteeringVector => {
    return { site, rows: 1, values };
  };
  const withTensor = async (model: Model, name: string, change: (x: number, i: number) => number): Promise<Model> => {
    const entries = await Promise.all(
      [...model.weights.shapes].map(async ([key, shape]) => {
        const data = Float32Array.from(await model.weights.read(key));
        return [key, { shape, data: key === name ? data.map(change) : data }] as const;
      }),
    );
    return handMade(model.config, Object.fromEntries(entries));
  };

  it('behind the last layer moves the logits by c v W_U where there is no norm', async () => {
    const model = anyModel({ ...SHAPES['attention only, no norm, bidirectional'], attention: 'causal' }, 3);
    const { nLayers, dModel, dVocabOut } = model.config;
    const ids = [3, 1, 4];
    const asked = example({ clean: ids, corrupt: ids, answers: [contrast(2, 1, 2)] });
    const [v, unembed] = [direction(dModel), await model.weights.read('unembed.W_U')];
    const logit = (id: number) => v.reduce((sum, x, j) => sum + x * unembed[j * dVocabOut + id]!, 0);
    await withEngine({ model, runtime }, async (engine) => {
      const vector = added({ kind: 'resid-post', layer: nLayers - 1 }, model);
      const coefficients = [-2, -0.5, 1, 3];
      const { doses, unsteered } = await steered(engine, [asked], { vector, coefficients, at: 'end' });
      expectNear(
        doses.map(({ metric }) => metric[0]! - unsteered.metric[0]!),
        coefficients.map((c) => c * (logit(1) - logit(2))),
        1e-12,
      );
      const before = doses.map(() => unsteered.logProbabilities);
      doses.forEach(({ logProbabilities }, i) => {
        const change = [0, 1, 2, 3, 4].map((id) => logProbabilities[id]! - before[i]![id]!);
        const expected = [0, 1, 2, 3, 4].map((id) => coefficients[i]! * (logit(id) - logit(0)));
        expectNear(change.map((x) => x - change[0]!), expected, 1e-11); // prettier-ignore
      });
    });
  });

  it('is linear in the coefficient on a linear model, by hand: a layer of the micro model multiplies by [5, 7]', () =>
    withEngine({ model: MICRO, runtime }, async (engine) => {
      for (const [site, hand] of [
        [{ kind: 'resid-pre', layer: 0 }, [25 * 3, 49 * -1]],
        [{ kind: 'resid-post', layer: 0 }, [5 * 3, 7 * -1]],
        [{ kind: 'attention-out', layer: 0 }, [5 * 3, 7 * -1]],
        [{ kind: 'z', layer: 1, head: 0 }, [3, -1]],
      ] as const) {
        const vector = added(site, MICRO, Float64Array.of(3, -1));
        const coefficients = [-4, -1, 0, 0.5, 2];
        const { doses, unsteered } = await steered(engine, BATCH.examples, { vector, coefficients });
        for (const { coefficient, metric } of doses)
          expectNear(
            metric.map((x, e) => x - unsteered.metric[e]!),
            [hand[0], hand[1], hand[1] - hand[0]].map((x) => coefficient * x),
            1e-12,
          );
      }
    }));

  it('before the first layer, everywhere, is that of other embeddings', async () => {
    const model = randomModel({ nLayers: 3 }, 33);
    const v = direction(8);
    const other = await withTensor(model, 'embed.W_E', (x, i) => x - 2 * v[i % 8]!);
    const logs = (of: Model) =>
      withEngine({ model: of, runtime }, (engine) =>
        logitsOf(engine, [pairs[0]!.clean], { positions: [4], of: 'logProbabilities' }),
      );
    await withEngine({ model, runtime }, async (engine) => {
      const vector = added({ kind: 'resid-pre', layer: 0 }, model);
      const { doses, unsteered } = await steered(engine, [example()], { vector, coefficients: [-2], at: 'all' });
      const [plain, expected] = [await logs(model), await logs(other)];
      expectNear(unsteered.logProbabilities, plain, 1e-12);
      expectNear(doses[0]!.logProbabilities, expected, 1e-6); // weights are held in float32
      const kl = expected.reduce((sum, x, i) => sum + Math.exp(x) * (x - plain[i]!), 0);
      expect(doses[0]!.divergence[0]).to.be.closeTo(kl, 1e-6);
      expect(doses[0]!.correct[0]).to.be.closeTo(expected[1]!, 1e-6);
      expect(doses[0]!.incorrect[0]).to.be.closeTo(expected[2]!, 1e-6);
    });
  });

  it('is the same at sites that lie behind each other in the stream', async () => {
    const model = randomModel({ nLayers: 3 }, 34);
    const same: readonly (readonly SteeringSite[])[] = [
      [{ kind: 'resid-mid', layer: 1 }, { kind: 'attention-out', layer: 1 }, { kind: 'z', layer: 1, head: 0 }],
      [{ kind: 'resid-pre', layer: 2 }, { kind: 'resid-post', layer: 1 }, { kind: 'mlp-out', layer: 1 }],
    ]; // prettier-ignore
    await withEngine({ model, runtime }, async (engine) => {
      for (const sites of same) {
        const found = await Promise.all(
          sites.map((site) => steered(engine, pairs, { vector: added(site, model), coefficients: [1.5], at: '1..2' })),
        );
        for (const { doses } of found) expect(doses[0]!.metric).to.deep.equal(found[0]!.doses[0]!.metric);
      }
    });
  });

  it('stays where it is added: a later position changes nothing before it, each position is its own place', () =>
    withEngine({ model: randomModel({}, 35), runtime }, async (engine) => {
      const vector = added({ kind: 'resid-pre', layer: 1 }, engine.model);
      const early = [example({ answers: [contrast(2, 1, 2)] })];
      const { doses, unsteered } = await steered(engine, early, { vector, coefficients: [2], at: 'each' });
      expect(doses.map(({ place }) => place)).to.deep.equal([0, 1, 2, 3, 4]);
      const change = doses.map(({ metric }) => Math.abs(metric[0]! - unsteered.metric[0]!));
      for (const place of [0, 1, 2]) expect(change[place]).to.be.greaterThan(1e-6);
      for (const place of [3, 4]) expect(change[place]).to.equal(0);
    }));

  it('means over the answers of an example, and over examples', () =>
    withEngine({ model: randomModel({}, 36), runtime }, async (engine) => {
      const vector = added({ kind: 'mlp-out', layer: 0 }, engine.model);
      const asked = { vector, coefficients: [1], at: 'all' };
      const [one, two] = pairs[1]!.answers;
      const split = [[one!], [two!]].map((answers) => example({ ...pairs[1]!, answers }));
      const [whole, parts] = [await steered(engine, [pairs[1]!], asked), await steered(engine, split, asked)];
      for (const key of ['metric', 'correct', 'incorrect', 'divergence'] as const)
        expect(whole.doses[0]![key][0]).to.be.closeTo((parts.doses[0]![key][0]! + parts.doses[0]![key][1]!) / 2, 1e-12);
      expectNear(whole.doses[0]!.logProbabilities, parts.doses[0]!.logProbabilities, 1e-12);
    }));

  it('costs two forward passes, and for each coefficient but 0 the layers above', () =>
    withEngine({ model: randomModel({ nLayers: 4 }, 37), runtime }, async (engine) => {
      const tokens = 2 * 5; // pairs of prompts of five tokens
      for (const [site, layers] of [
        [{ kind: 'resid-pre', layer: 0 }, 4],
        [{ kind: 'resid-pre', layer: 3 }, 1],
        [{ kind: 'resid-post', layer: 3 }, 0],
      ] as const) {
        engine.counters.layerTokens = 0;
        await steered(engine, pairs, { vector: added(site, engine.model), coefficients: [-1, 0, 1], at: 'all' });
        expect(engine.counters.layerTokens).to.be.closeTo(2 * tokens + (2 * tokens * layers) / 4, 1e-9);
      }
    }));

  it('names the tokens that rise and fall most, none that stays', () => {
    const response = (logs: number[]) => ({
      ...{ metric: Float64Array.of(), correct: Float64Array.of(), incorrect: Float64Array.of() },
      ...{ divergence: Float64Array.of(), logProbabilities: Float64Array.from(logs) },
    });
    const { rises, falls } = strongestShifts(response([-1, -5, -3, -3, -9]), response([-2, -2, -3, -4, -4]), 2);
    expect(rises).to.deep.equal([{ id: 0, before: -2, after: -1 }, { id: 3, before: -4, after: -3 }]); // prettier-ignore
    expect(falls).to.deep.equal([{ id: 4, before: -4, after: -9 }, { id: 1, before: -2, after: -5 }]); // prettier-ignore
    expect(strongestShifts(response([-1, -2]), response([-1, -2]), 5)).to.deep.equal({ rises: [], falls: [] });
  });
});

await onEveryRuntime(
  'steering on every runtime',
  ({ key, create }) => {
    it('adds nothing at 0, and at 1 what makes the clean run the corrupt one', async () => {
      const own = await create();
      await withEngine({ model: randomModel({ nLayers: 3 }, 61), runtime: own }, async (engine) => {
        const [first] = pairs;
        const site: SteeringSite = { kind: 'resid-pre', layer: 1 };
        const sides = {
          plus: { examples: [first!], side: 'corrupt' },
          minus: { examples: [first!], side: 'clean' },
        } as const;
        const vector = await vectorOf(engine, site, { ...sides, read: 'each' });
        const { corrupt, unsteered, doses } = await steered(engine, [first!], { vector, coefficients: [0, 1] });
        expect(doses[0]!.metric).to.deep.equal(unsteered.metric);
        expect(doses[0]!.logProbabilities).to.deep.equal(unsteered.logProbabilities);
        expectNear(doses[1]!.metric, corrupt, key === 'reference' ? 1e-12 : 1e-4);
      });
      await own.dispose();
    });
  },
  (key) => key !== 'tfjs-webgpu',
);

describe('coefficients', () => {
  it('are refused where there is none, or one that is no number', async () => {
    await withEngine({ model: randomModel({}, 1), runtime }, async (engine) => {
      const vector: SteeringVector = {
        site: { kind: 'resid-pre', layer: 1 },
        rows: 1,
        values: new Float64Array(8).fill(1),
      };
      await refused(steered(engine, pairs, { vector, coefficients: [] }), 'interventions/steering', 'no coefficient');
      await refused(steered(engine, pairs, { vector, coefficients: [1, NaN] }), 'interventions/steering', 'NaN');
    });
  });
});
