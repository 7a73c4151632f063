/** Methods that send something else than the derivative back: RelP, GIM, AtP*. By hand, and against what they must equal. */
import { expect } from 'chai';
import { findMethod } from '../../../src/attribution/edges/index.js';
import { nodeScores } from '../../../src/attribution/edges/node-scores.js';
import { Engine } from '../../../src/engine/core/engine.js';
import { edgeGradients } from '../../../src/engine/gradients/gradient.js';
import type { Rules } from '../../../src/engine/kernels/attribution.js';
import type { Batch } from '../../../src/engine/core/batches.js';
import type { Question } from '../../../src/engine/questions/questions.js';
import { withSession } from '../../../src/engine/questions/session.js';
import { makeSource, type AlternativeMaker } from '../../../src/engine/sources/index.js';
import { loadModel } from '../../../src/model/load.js';
import type { Model } from '../../../src/model/types.js';
import { createRuntime, type Runtime } from '../../../src/runtime/index.js';
import { batchOf, contrast, expectNear } from '../../helpers/engine.js';
import { golden } from '../../helpers/model-files.js';
import { readPeer } from '../../helpers/peer.js';
import { handMade, randomModel, SHAPES } from '../../helpers/models/hand-made.js';
import { everyOption } from '../../helpers/options.js';

const METRIC = 'logit-difference';
let runtime: Runtime;
before(async () => void (runtime = await createRuntime('reference', { threads: 1 })));

async function using<T>(model: Model, work: (engine: Engine) => Promise<T>): Promise<T> {
  const engine = new Engine(model, runtime);
  try {
    return await work(engine);
  } finally {
    await engine.dispose();
  }
}

/** Mean score of every edge. */
async function run(
  engine: Engine,
  { examples }: Batch,
  { key, source }: { key: string; source?: AlternativeMaker },
): Promise<Float64Array> {
  const options = everyOption({ steps: 1 });
  const signal = new AbortController().signal;
  const context = { engine, examples, metric: METRIC, options, signal, source, onProgress: () => undefined } as const;
  return (await findMethod(key).run(context)).scores.mean;
}

/** Scores of edges by name. */
const scoresOf = (model: Model, batch: Batch, key: string): Promise<(edge: string) => number> =>
  using(model, async (engine) => {
    const mean = await run(engine, batch, { key });
    return (edge) => mean[engine.universe.edgeIndex(edge)!]!;
  });

/** metric clean − metric with the question's intervention, of the first example. */
const effectOf = (model: Model, batch: Batch, ask: (engine: Engine) => Question): Promise<number> =>
  using(model, (engine) =>
    withSession(engine, batch, { metric: METRIC, direction: 'noising' }, async (session) => {
      const [answer] = await session.ask([ask(engine)]);
      return session.base[0]! - answer![0]!;
    }),
  );
const cut =
  (edge: string) =>
  (engine: Engine): Question => ({ kind: 'edge', edge: engine.universe.edgeIndex(edge)! });

const tensor = (shape: number[], ...rows: number[][]) => ({ shape, data: Float32Array.from(rows.flat()) });
const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
const silu = (x: number): number => x * sigmoid(x);
const siluSlope = (x: number): number => sigmoid(x) * (1 + x * (1 - sigmoid(x)));

describe('rules that are the derivative give EAP', () => {
  const DERIVATIVE: Rules = {
    frozenNorms: false,
    mlp: { frozenNorm: false, lineThroughOrigin: false, factors: 1 },
    attention: { temperature: 1, queries: 1, keys: 1, values: 1 },
  };
  for (const [name, shape] of Object.entries(SHAPES))
    it(name, () =>
      using(randomModel(shape, 4), async (engine) => {
        const answers = [contrast(4, 1, 2)];
        const batch = batchOf([
          { clean: [1, 2, 3, 4, 5], corrupt: [1, 2, 6, 4, 5], answers },
          { clean: [7, 8, 9, 1, 2], corrupt: [7, 8, 3, 1, 10], answers },
        ]);
        await withSession(engine, batch, { metric: METRIC, direction: 'noising' }, async ({ bound }) => {
          const ends = { clean: bound.base, corrupt: bound.alternative };
          const points = [{ at: 1, weight: 1 }];
          const eap = await edgeGradients(bound, points, ends);
          expectNear(await edgeGradients(bound, points, { ...ends, rules: DERIVATIVE }), eap, 1e-12);
        });
      }),
    );
});

describe('through an MLP of one neuron, from 2 (clean) to −1 (corrupt)', () => {
  const still = { shape: [1, 2, 2], data: new Float32Array(4) };
  /** reads the first dimension, writes the second, which is the logit */
  const neuron = (gatedMlp: boolean): Model =>
    handMade(
      { dMlp: 1, activation: 'silu', gatedMlp, dVocab: 2 },
      {
        'embed.W_E': tensor([2, 2], [2, 0], [-1, 0]),
        'unembed.W_U': tensor([2, 2], [0, 0], [1, 0]),
        ...Object.fromEntries(['Q', 'K', 'V', 'O'].map((role) => [`blocks.0.attn.W_${role}`, still])),
        'blocks.0.mlp.W_in': tensor([2, 1], [1], [0]),
        ...(gatedMlp ? { 'blocks.0.mlp.W_gate': tensor([2, 1], [1], [0]) } : {}),
        'blocks.0.mlp.W_out': tensor([1, 2], [0, 1]),
      },
    );
  const batch = batchOf([{ clean: [0], corrupt: [1], answers: [contrast(0, 0, 1)] }]);
  const expectScore = async (gated: boolean, key: string, expected: number) =>
    expect((await scoresOf(neuron(gated), batch, key))('input->m0')).to.be.closeTo(expected, 1e-12);

  it('EAP takes the tangent', () => expectScore(false, 'eap', 3 * siluSlope(2)));
  it('RelP takes the line through the origin', () => expectScore(false, 'relp', 3 * sigmoid(2)));
  it('GIM takes the tangent', () => expectScore(false, 'gim', 3 * siluSlope(2)));
  it('RelP is nearer to the exact effect here', async () => {
    const exact = await effectOf(neuron(false), batch, cut('input->m0'));
    expect(exact).to.be.closeTo(silu(2) - silu(-1), 1e-6);
    expect(Math.abs(3 * sigmoid(2) - exact)).to.be.below(Math.abs(3 * siluSlope(2) - exact));
  });
  it('gated: EAP counts both factors whole', () => expectScore(true, 'eap', 3 * (2 * siluSlope(2) + silu(2))));
  it('gated: RelP gives each factor half, and so their product once', () => expectScore(true, 'relp', 3 * silu(2)));
  it('gated: GIM gives each factor half', () => expectScore(true, 'gim', (3 / 2) * (2 * siluSlope(2) + silu(2))));
});

describe('RelP conserves relevance', () => {
  it('without biases and learned positions, the embedding has the whole metric where cut edges read zero', async () => {
    const { batch, edges } = readPeer('llama');
    const model = await loadModel(golden('architectures/llama'));
    await using(model, async (engine) => {
      const source = await makeSource(engine, 'zero', { batches: [], side: 'clean' });
      const scores = await run(engine, batch, { key: 'relp', source });
      const metric = edges('base.clean').values.reduce((sum, x) => sum + x / batch.examples.length, 0);
      expect(nodeScores(engine.universe, scores)[0]).to.be.closeTo(metric, 1e-9);
    });
    await model.dispose();
  });
});

describe('through the final norm', () => {
  it('RelP and GIM divide by a constant, EAP by what changes with the input', async () => {
    const still = { shape: [1, 2, 2], data: new Float32Array(4) };
    const model = handMade(
      { norm: 'RMS', normEps: 0 },
      {
        'embed.W_E': tensor([2, 2], [3, 4], [0, 4]),
        'unembed.W_U': tensor([2, 2], [1, 0], [0, 0]),
        ...Object.fromEntries(['Q', 'K', 'V', 'O'].map((role) => [`blocks.0.attn.W_${role}`, still])),
      },
    );
    const batch = batchOf([{ clean: [0], corrupt: [1], answers: [contrast(0, 0, 1)] }]);
    const root = Math.sqrt(12.5); // of the mean square of [3, 4]
    for (const key of ['relp', 'gim'])
      expect((await scoresOf(model, batch, key))('input->logits')).to.be.closeTo(3 / root, 1e-12);
    // d(x₁ / rms)/dx₁ = 1 / rms − x₁² / (2 rms³)
    expect((await scoresOf(model, batch, 'eap'))('input->logits')).to.be.closeTo(
      3 * (1 / root - 9 / (2 * root ** 3)),
      1e-12,
    );
  });
});

/**
 * One head. X says +1 and Y says −1; the last token asks for X (Q₁) or for Y (Q₂) with a score of `gain`; Z says what X says but
 * does not answer to a query.
 */
const asking = (gain: number): Model =>
  handMade(
    { dModel: 5, dHead: 2, dVocab: 5 },
    {
      'embed.W_E': tensor(
        [5, 5],
        ...Array.from({ length: 5 }, (_, i) => Array.from({ length: 5 }, (_, j) => Number(i === j))),
      ),
      'unembed.W_U': tensor([5, 2], [0, 0], [0, 0], [0, 0], [0, 0], [1, 0]),
      'blocks.0.attn.W_Q': tensor([1, 5, 2], [0, 0], [0, 0], [0, 0], [gain, 0], [0, gain]),
      'blocks.0.attn.W_K': tensor([1, 5, 2], [1, 0], [0, 1], [0, 0], [0, 0], [0, 0]),
      'blocks.0.attn.W_V': tensor([1, 5, 2], [1, 0], [-1, 0], [1, 0], [0, 0], [0, 0]),
      'blocks.0.attn.W_O': tensor([1, 2, 5], [0, 0, 0, 0, 1], [0, 0, 0, 0, 0]),
    },
  );
const [X, Y, Z, Q1, Q2] = [0, 1, 2, 3, 4] as const;
const answers = [contrast(2, 0, 1)];
const otherQuery = batchOf([{ clean: [X, Y, Q1], corrupt: [X, Y, Q2], answers }]);
const otherKey = batchOf([{ clean: [X, Y, Q1], corrupt: [Z, Y, Q1], answers }]);

describe('saturated attention', () => {
  const saturated = asking(60);

  it('the query decides everything: cutting it turns +1 into −1', async () => {
    expect(await effectOf(saturated, otherQuery, cut('input->a0.h0<q>'))).to.be.closeTo(2, 1e-9);
  });
  it('EAP misses it (a false negative), AtP* does not', async () => {
    expect(Math.abs((await scoresOf(saturated, otherQuery, 'eap'))('input->a0.h0<q>'))).to.be.below(1e-20);
    expect((await scoresOf(saturated, otherQuery, 'atp-star'))('input->a0.h0<q>')).to.be.closeTo(2, 1e-9);
  });
  it('the same for keys: without its key X is one of three, which say 1, −1 and 0', async () => {
    const edge = 'input->a0.h0<k>';
    expect(await effectOf(saturated, otherKey, cut(edge))).to.be.closeTo(1, 1e-9);
    expect(Math.abs((await scoresOf(saturated, otherKey, 'eap'))(edge))).to.be.below(1e-20);
    expect((await scoresOf(saturated, otherKey, 'atp-star'))(edge)).to.be.closeTo(1, 1e-9);
  });
  it('RelP takes the pattern as given: edges into queries and keys score 0', async () => {
    const scores = await scoresOf(asking(1), otherQuery, 'relp');
    expect(scores('input->a0.h0<q>')).to.equal(0);
    expect(scores('input->a0.h0<k>')).to.equal(0);
  });
  it("GIM's softmax has temperature 2 on the way back; of a query's gradient a quarter is left", async () => {
    const e = Math.exp(2 / 2);
    const soft = [e, 1, 1].map((x) => x / (e + 2)); // of scores [2, 0, 0]
    const mean = soft[0]! - soft[1]!; // of what X, Y and the query itself say: 1, −1, 0
    const atScores = [soft[0]! * (1 - mean), soft[1]! * (-1 - mean)];
    const score = (await scoresOf(asking(2), otherQuery, 'gim'))('input->a0.h0<q>');
    expect(score).to.be.closeTo((2 * (atScores[0]! - atScores[1]!)) / 4, 1e-12); // the query moves from [2, 0] to [0, 2]
  });
});

describe('AtP* in a last layer that is linear after its softmax', () => {
  const model = randomModel(
    { nLayers: 2, nHeads: 2, nKeyValueHeads: 2, dModel: 6, dHead: 3, dVocab: 9, dVocabOut: 9 },
    3,
  );
  const batch = batchOf([{ clean: [1, 2, 3, 4], corrupt: [1, 5, 3, 6], answers: [contrast(3, 1, 2)] }]);
  const into = async (key: string, reader: string): Promise<number> => {
    const scores = await scoresOf(model, batch, key);
    return ['input', 'a0.h0', 'a0.h1'].reduce((sum, sender) => sum + scores(`${sender}->${reader}`), 0);
  };
  for (const head of [0, 1])
    for (const kind of ['q', 'k'] as const)
      it(`the edges into a1.h${head}<${kind}> sum to the exact effect of replacing it; EAP's do not`, async () => {
        const exact = await effectOf(model, batch, () => ({
          kind: 'sites',
          sites: [{ kind, layer: 1, heads: [head] }],
        }));
        expect(Math.abs(exact)).to.be.greaterThan(1e-3);
        expect(await into('atp-star', `a1.h${head}<${kind}>`)).to.be.closeTo(exact, 1e-9);
        expect(Math.abs((await into('eap', `a1.h${head}<${kind}>`)) - exact)).to.be.greaterThan(Math.abs(exact) / 1e4);
      });
});
