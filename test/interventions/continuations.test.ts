/** What a steered model writes: sampling, common random numbers, and the model re-run on the growing text. */
import { expect } from 'chai';
import fc from 'fast-check';
import type { Engine } from '../../src/engine/core/engine.js';
import { continueSteered, type ContinuationQuestion } from '../../src/interventions/steering/continuations.js';
import { drawToken, gumbels, SAMPLING_DEFAULTS, type Sampling } from '../../src/interventions/steering/sampling.js';
import { planPlaces } from '../../src/interventions/steering/places.js';
import { plainPrompt, type SteeringVector } from '../../src/interventions/steering/vectors.js';
import type { Model } from '../../src/model/types.js';
import { createRuntime, type Runtime } from '../../src/runtime/index.js';
import { logitsOf, withEngine } from '../helpers/engine.js';
import { handMade } from '../helpers/models/hand-made.js';
import { refused } from '../helpers/model-files.js';
import { randomModel } from '../helpers/models/random-model.js';

describe('drawing a token', () => {
  const logs = Float64Array.from([0.5, 0.25, 0.125, 0.125], Math.log);
  const draws = (count: number, asked: Partial<Sampling> = {}): number[] => {
    const noise = gumbels(7);
    const found = [0, 0, 0, 0];
    for (let i = 0; i < count; i++) {
      const g = Float64Array.from({ length: 4 }, () => noise.next().value);
      found[drawToken(logs, g, { ...SAMPLING_DEFAULTS, ...asked })]! += 1 / count;
    }
    return found;
  };

  it('follows the distribution, at its temperature, among the tokens kept', () => {
    const near = (found: number[], expected: number[]) =>
      found.forEach((share, i) => expect(share, found.join(' ')).to.be.closeTo(expected[i]!, 0.012));
    near(draws(20000), [0.5, 0.25, 0.125, 0.125]);
    near(draws(20000, { temperature: 0.5 }), [16 / 22, 4 / 22, 1 / 22, 1 / 22]); // squares
    near(draws(20000, { topK: 2 }), [2 / 3, 1 / 3, 0, 0]);
    near(draws(20000, { topP: 0.7 }), [2 / 3, 1 / 3, 0, 0]);
    near(draws(20000, { topK: 3, topP: 0.8 }), [2 / 3, 1 / 3, 0, 0]); // 6/7 of the three that are left
    expect(draws(100, { topK: 1 })[0]).to.be.closeTo(1, 1e-9);
    expect(draws(100, { topP: 0.1 })[0]).to.be.closeTo(1, 1e-9);
  });

  it('chooses alike where two distributions are alike', () =>
    fc.assert(
      fc.property(fc.integer(), fc.double({ min: -3, max: 3, noNaN: true }), (seed, shift) => {
        const noise = gumbels(seed);
        const g = Float64Array.from({ length: 4 }, () => noise.next().value);
        const moved = logs.map((x) => x + shift);
        return drawToken(logs, g, SAMPLING_DEFAULTS) === drawToken(moved, g, SAMPLING_DEFAULTS);
      }),
      { seed: 1, numRuns: 200 },
    ));
});

describe('what a steered model writes', () => {
  let runtime: Runtime;
  before(async () => (runtime = await createRuntime('reference', { threads: 1 })));
  after(() => runtime.dispose());
  const model = randomModel({ nLayers: 2 }, 51);
  const prompts = [plainPrompt([3, 1, 4], 0), plainPrompt([1, 5], 1), plainPrompt([9, 2, 6], 2)];
  const vector: SteeringVector = {
    ...{ site: { kind: 'resid-pre', layer: 1 }, rows: 1 },
    values: Float64Array.from({ length: 8 }, (_, i) => 3 * Math.cos(3 * i)),
  };
  const ask = (changes: Partial<Sampling> = {}, rest: Partial<ContinuationQuestion> = {}, of: Model = model) =>
    withEngine({ model: of, runtime }, (engine) =>
      continueSteered(engine, prompts, {
        vector: rest.vector ?? vector,
        places: planPlaces(prompts, { rows: 1, at: 'all' }),
        ...{ coefficients: [1, -1], side: 'clean', ...rest },
        sampling: { ...SAMPLING_DEFAULTS, tokens: 5, samples: 2, ...changes },
      }),
    );

  it('is the same for the same seed, other for another, whatever else is written beside it', async () => {
    const [first, again, other] = [await ask(), await ask(), await ask({ seed: 1 })];
    expect(again).to.deep.equal(first);
    expect(other.map(({ ids }) => ids)).not.to.deep.equal(first.map(({ ids }) => ids));
    expect(first.map(({ example, sample, coefficient }) => [example, sample, coefficient]).slice(0, 7)).to.deep.equal(
      [[0, 0, 0], [0, 0, 1], [0, 0, -1], [0, 1, 0], [0, 1, 1], [0, 1, -1], [1, 0, 0]],
    ); // prettier-ignore
    const fewer = await ask({}, { coefficients: [-1] });
    const alone = first.filter(({ coefficient }) => coefficient !== 1);
    expect(fewer.map(({ ids }) => ids)).to.deep.equal(alone.map(({ ids }) => ids));
  });

  it('unsteered is what the model says by itself; so is steering by nothing, from the same random numbers', async () => {
    const nothing = { ...vector, values: vector.values.map(() => 0) };
    const written = await ask({}, { vector: nothing });
    written.forEach(({ divergence, ids }, i) => {
      expect(divergence).to.equal(0);
      expect(ids).to.deep.equal(written[3 * Math.floor(i / 3)]!.ids);
    });
  });

  it('is at every token the choice of the steered model on the text so far', async () => {
    // a vector before the first layer, at all positions, makes another model: that of other embeddings
    const early: SteeringVector = { ...vector, site: { kind: 'resid-pre', layer: 0 } };
    const names = [...model.weights.shapes];
    const data = await Promise.all(names.map(async ([name]) => Float32Array.from(await model.weights.read(name))));
    const moved = handMade(model.config, Object.fromEntries(names.map(([name, shape], i) => {
      const own = data[i]!;
      return [name, { shape, data: name === 'embed.W_E' ? own.map((x, j) => x + early.values[j % 8]!) : own }];
    }))); // prettier-ignore
    const written = await ask({ topK: 1, samples: 1 }, { vector: early, coefficients: [1] });
    await withEngine({ model: moved, runtime }, async (steeredEngine) =>
      withEngine({ model, runtime }, async (plainEngine) => {
        for (const { example, coefficient, ids, divergence } of written) {
          const text = [...prompts[example]!.clean];
          let sum = 0;
          for (const id of ids) {
            const logs = (engine: Engine) =>
              logitsOf(engine, [text], { positions: [text.length - 1], of: 'logProbabilities' });
            const [plain, steered] = [await logs(plainEngine), await logs(steeredEngine)];
            const own = coefficient === 0 ? plain : steered;
            expect(id).to.equal(own.indexOf(Math.max(...own)));
            sum += own.reduce((all, x, i) => all + Math.exp(x) * (x - plain[i]!), 0) / ids.length;
            text.push(id);
          }
          expect(divergence).to.be.closeTo(sum, 1e-6);
        }
      }),
    );
  });

  it('is steered at positions of the prompt alone, or from its last token on', async () => {
    const spans = (ids: number[], grown: number, at: string) => {
      const prompt = plainPrompt(ids);
      return planPlaces([prompt], { rows: 1, at }).positions(0, prompt, grown);
    };
    expect(spans([1, 2, 3], 5, 'after')).to.deep.equal([2, 3, 4]);
    expect(spans([1, 2, 3], 5, 'all')).to.deep.equal([0, 1, 2, 3, 4]);
    expect(spans([1, 2, 3], 5, 'end')).to.deep.equal([2]);
    expect(spans([1, 2, 3], 5, '0..1')).to.deep.equal([0, 1]);
    const three = planPlaces([plainPrompt([1, 2, 3])], { rows: 2 });
    expect([three.at, three.positions(0, plainPrompt([1, 2, 3]), 5)]).to.deep.equal(['front', [0, 1]]);
  });

  it('is refused where nothing can be written, before any compute', async () => {
    await refused(ask({ temperature: 0 }), 'interventions/sampling', 'temperature of 0', '--top-k 1');
    await refused(ask({ temperature: -1 }), 'interventions/sampling', 'temperature of -1');
    await refused(ask({ temperature: NaN }), 'interventions/sampling', 'temperature');
    await refused(ask({ topK: 0 }), 'interventions/sampling', 'most probable 0');
    await refused(ask({ topP: 1.5 }), 'interventions/sampling', '1.5');
    await refused(ask({ tokens: 0 }), 'interventions/sampling', '0 tokens');
    await refused(ask({ samples: 0.5 }), 'interventions/sampling', '0.5 continuations');
    await refused(ask({ tokens: 14 }), 'interventions/sampling', 'beyond the 16', 'at most 13');
    const places = planPlaces([prompts[0]!], { rows: 1, at: 'each' });
    await refused(ask({}, { places }), 'interventions/steering', 'one place');
    await refused(ask({}, {}, randomModel({ attention: 'bidirectional' }, 1)), 'interventions/sampling', 'both ways');
    await refused(ask({}, {}, randomModel({ dVocabOut: 4 }, 1)), 'interventions/sampling', 'not the tokens');
  });
});
