/** Causal tracing: the published code's noise, windows and averages, and laws of restoring. */
import { expect } from 'chai';
import { withNoise } from '../../src/engine/questions/noised.js';
import { normals } from '../../src/interventions/tracing/noise.js';
import {
  BUCKETS,
  embeddingDeviation,
  TRACE_DEFAULTS,
  tracePrompt,
  TRACES,
  windowAround,
  type TraceOptions,
} from '../../src/interventions/tracing/tracing.js';
import type { Model } from '../../src/model/types.js';
import { createRuntime, type Runtime } from '../../src/runtime/index.js';
import { batchOf, contrast, expectNear, logitsOf, withEngine } from '../helpers/engine.js';
import { handMade } from '../helpers/models/hand-made.js';
import { refused } from '../helpers/model-files.js';
import { randomModel } from '../helpers/models/random-model.js';

const take = (count: number, from: Iterator<number, never>): number[] =>
  Array.from({ length: count }, () => from.next().value);

describe('the noise of causal tracing', () => {
  it('is what numpy.random.RandomState(1).randn draws', () => {
    expectNear(
      take(10, normals(1)),
      [
        1.62434536, -0.61175641, -0.52817175, -1.07296862, 0.86540763, -2.3015387, 1.74481176, -0.7612069, 0.3190391,
        -0.24937038,
      ],
      1e-8,
    );
  });

  it('is scaled by the deviation of the subjects’ embeddings, every element a draw', async () => {
    const model = handMade({}, { 'embed.W_E': { shape: [2, 2], data: Float32Array.of(1, 2, 3, 6) } });
    const runtime = await createRuntime('reference', { threads: 1 });
    const deviation = await withEngine({ model, runtime }, (engine) => embeddingDeviation(engine, [[0], [1, 0]]));
    // 1 2 3 6 1 2: mean 2.5, squares 2.25 .25 .25 12.25 2.25 .25, over 5
    expect(deviation).to.be.closeTo(Math.sqrt(17.5 / 5), 1e-12);
    await runtime.dispose();
  });
});

describe('windows and kinds of tokens', () => {
  it('ten layers reach from five below to four above, cut off at the ends of the model', () => {
    expect(windowAround(12, 10, 48)).to.deep.equal([7, 8, 9, 10, 11, 12, 13, 14, 15, 16]);
    expect(windowAround(2, 10, 48)).to.deep.equal([0, 1, 2, 3, 4, 5, 6]);
    expect(windowAround(46, 10, 48)).to.deep.equal([41, 42, 43, 44, 45, 46, 47]);
    expect(windowAround(3, 1, 48)).to.deep.equal([3]);
  });

  it('six kinds; a subject of one token is first and last, and what comes before it is in none', () => {
    const kinds = (subject: [number, number], length: number): number[][] =>
      BUCKETS.map((bucket) => bucket.positions(subject, length));
    expect(kinds([1, 5], 9)).to.deep.equal([[1], [2, 3], [4], [5], [6, 7], [8]]);
    expect(kinds([0, 1], 2)).to.deep.equal([[0], [], [0], [1], [], [1]]);
    expect(kinds([0, 2], 2)).to.deep.equal([[0], [], [1], [], [], [1]]);
  });
});

describe('tracing a prompt', () => {
  const model = randomModel({ nLayers: 3 }, 21);
  const prompt = { ids: [3, 1, 7, 4, 2], subject: [1, 3], answer: 6 } as const;
  const options: TraceOptions = { ...TRACE_DEFAULTS, noise: 2, samples: 4, window: 2 };
  let runtime: Runtime;
  before(async () => (runtime = await createRuntime('reference', { threads: 1 })));
  after(() => runtime.dispose());
  const trace = (changes: Partial<TraceOptions> = {}) =>
    withEngine({ model, runtime }, (engine) => tracePrompt(engine, prompt, TRACES, { ...options, ...changes }));

  const probabilityIn = (of: Model): Promise<number> =>
    withEngine({ model: of, runtime }, async (engine) => {
      const logs = await logitsOf(engine, [prompt.ids], { positions: [4], of: 'logProbabilities' });
      return Math.exp(logs[prompt.answer]!);
    });

  /** The model with noise in the embeddings of the subject's tokens, which the prompt has nowhere else. */
  const withNoisyTokens = async (noise: readonly number[]): Promise<Model> => {
    const names = [...model.weights.shapes];
    const read = await Promise.all(names.map(async ([name]) => Float32Array.from(await model.weights.read(name))));
    const tensors = Object.fromEntries(names.map(([name, shape], i) => [name, { shape, data: read[i]! }]));
    const { dModel } = model.config;
    noise.forEach((x, i) => {
      const token = prompt.ids[1 + Math.floor(i / dModel)]!;
      tensors['embed.W_E']!.data[token * dModel + (i % dModel)]! += x;
    });
    return handMade(model.config, tensors);
  };

  it('reads the probability of the answer, clean and as the mean over draws of noise on the subject alone', async () => {
    const { clean, noised } = await trace();
    expect(clean).to.be.closeTo(await probabilityIn(model), 1e-12);
    const draws = normals(1);
    let sum = 0;
    for (let sample = 0; sample < 4; sample++) {
      const noise = take(2 * model.config.dModel, draws).map((x) => 2 * x);
      sum += await probabilityIn(await withNoisyTokens(noise));
    }
    expect(noised).to.be.closeTo(sum / 4, 1e-7); // weights are held in float32
  });

  it('restoring the last token’s last state restores everything, a token before the subject nothing', async () => {
    const { clean, noised, effects } = await trace();
    const [states, attention, mlps] = effects as [Float64Array, Float64Array, Float64Array];
    expect(states[2 * 5 + 4]!).to.be.closeTo(clean - noised, 1e-12);
    for (const kind of effects) for (const layer of [0, 1, 2]) expect(kind[layer * 5]).to.equal(0);
    for (const token of [1, 2, 3])
      expect(Math.abs(states[2 * 5 + token]!), 'its last state is read by none').to.be.below(1e-12);
    for (const kind of [states, attention, mlps]) expect(Math.max(...kind.map(Math.abs))).to.be.greaterThan(1e-6);
  });

  it('restoring every token’s first state is the clean run, in every draw', () =>
    withEngine({ model, runtime }, async (engine) => {
      const [example] = batchOf([{ clean: prompt.ids, corrupt: prompt.ids, answers: [contrast(4, 1, 2)] }]).examples;
      const samples = [1, 2, 3].map((scale) => Float64Array.from(take(16, normals(scale)), (x) => scale * x));
      await withNoise(engine, example!, { samples, from: 1, metric: 'logit-difference' }, async (noised) => {
        const [all, nothing] = await noised.restore([[{ kind: 'resid-pre', layer: 0 }], []]);
        expectNear(all!, [noised.clean, noised.clean, noised.clean], 1e-12);
        expectNear(nothing!, noised.noised, 0);
        expect(new Set(noised.noised)).to.have.lengthOf(3);
      });
    }));

  it('a window of all layers holds more than one layer, and one of 1 is that layer', async () => {
    const [wide, narrow] = [await trace({ window: 6 }), await trace({ window: 1 })];
    const mlps = (of: typeof wide): number[] => [0, 1, 2].map((layer) => of.effects[2]![layer * 5 + 2]!);
    expectNear(mlps(wide), Array<number>(3).fill(mlps(wide)[0]!), 1e-12, 'all layers whatever the middle');
    expect(new Set(mlps(narrow).map((x) => x.toFixed(12)))).to.have.lengthOf(3);
  });

  it('refuses noise of scale zero', () => refused(trace({ noise: 0 }), 'interventions/noise', 'scale 0'));
});
