/** What each token of a prompt contributes to the metric. */
import { expect } from 'chai';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { findTokenMethod, TOKEN_METHODS } from '../../../src/attribution/tokens/index.js';
import { attributeTokens, type TokenQuestion } from '../../../src/attribution/tokens/tokens.js';
import type { Baseline } from '../../../src/attribution/tokens/types.js';
import { withEmbedded } from '../../../src/engine/gradients/embedded.js';
import type { Engine } from '../../../src/engine/core/engine.js';
import { withSession } from '../../../src/engine/questions/session.js';
import { openTask, withWorkbench } from '../../../src/jobs/workbench.js';
import { createReferenceRuntime } from '../../../src/runtime/reference/index.js';
import type { Model } from '../../../src/model/types.js';
import type { Example } from '../../../src/task/types.js';
import { sceneOf } from '../../engine/scene.js';
import { batchOf, contrast, withEngine } from '../../helpers/engine.js';
import { handMade, SHAPES } from '../../helpers/models/hand-made.js';
import { refused } from '../../helpers/model-files.js';
import { skipWithout } from '../../helpers/shared.js';

const OPTIONS = { steps: 32, rule: 'gauss-legendre', samples: 500, seed: 1 };
const ask = (method: string, more: Partial<TokenQuestion> = {}): TokenQuestion => ({
  method: findTokenMethod(method),
  metric: 'logit-difference',
  baseline: 'corrupt',
  options: OPTIONS,
  ...more,
});
const total = (values: ArrayLike<number>): number => Array.from(values).reduce((sum, x) => sum + x, 0);
const near = (actual: ArrayLike<number>, expected: readonly number[], tolerance: number): void => {
  expect(actual.length).to.equal(expected.length);
  expected.forEach((x, i) => expect(actual[i], `value ${i}`).to.be.closeTo(x, tolerance));
};

/**
 * One head that looks at all positions alike and multiplies by [1, 2]: at the end of two tokens the output is
 * e₁ + ½ [1, 2] · (e₀ + e₁), and the metric its second number minus its first.
 */
const LINEAR = handMade(
  { dVocab: 3 },
  {
    'embed.W_E': { shape: [3, 2], data: Float32Array.of(1, 1, 2, -1, 0, 3) },
    'unembed.W_U': { shape: [2, 2], data: Float32Array.of(1, 0, 0, 1) },
    'blocks.0.attn.W_Q': { shape: [1, 2, 2], data: new Float32Array(4) },
    'blocks.0.attn.W_K': { shape: [1, 2, 2], data: new Float32Array(4) },
    'blocks.0.attn.W_V': { shape: [1, 2, 2], data: Float32Array.of(1, 0, 0, 1) },
    'blocks.0.attn.W_O': { shape: [1, 2, 2], data: Float32Array.of(1, 0, 0, 2) },
  },
);
const HAND: { readonly [Key in Baseline]: { values: number[]; baseline: number } } = {
  zero: { values: [-2, 0.5], baseline: 0 },
  corrupt: { values: [-5, -5.5], baseline: 9 },
};

describe('tokens of a linear model, worked out by hand', () => {
  const { examples } = batchOf([{ clean: [1, 0], corrupt: [2, 2], answers: [contrast(1, 1, 0)] }]);
  for (const { key, of } of TOKEN_METHODS)
    for (const baseline of ['zero', 'corrupt'] as const)
      it(`${key}, as against ${baseline}`, () =>
        withEngine({ model: LINEAR, runtime: createReferenceRuntime() }, async (engine) => {
          const { prompts, division } = await attributeTokens(engine, examples, ask(key, { baseline }));
          const [found] = prompts;
          near(found!.values, HAND[baseline].values, 1e-12);
          near([found!.clean, found!.baseline], [-1.5, HAND[baseline].baseline], 1e-12);
          // without named spans, spans are the positions
          expect(division.kind, of).to.equal('position');
          expect(found!.units.map(({ name }) => name)).to.deep.equal(['0', '1']);
        }));
});

for (const shape of Object.keys(SHAPES))
  describe(`attribution to tokens: ${shape}`, () => {
    const withScene = async <T>(work: (engine: Engine, examples: readonly Example[]) => Promise<T>): Promise<T> => {
      const { model, batch } = await sceneOf(shape);
      return withEngine({ model, runtime: createReferenceRuntime() }, (engine) => work(engine, batch.examples));
    };

    it('the metric of the embeddings is that of the prompts, its gradient that of differences', () =>
      withScene(async (engine, examples) => {
        const example = examples[0]!;
        const batch = { examples: [example], length: example.clean.length };
        const options = { metric: 'logit-difference', direction: 'noising' } as const;
        const known = await withSession(engine, batch, options, ({ clean, corrupt }) =>
          Promise.resolve([clean[0]!, corrupt[0]!]),
        );
        await withEmbedded(engine, example, 'logit-difference', async (prompt) => {
          near(await prompt.values([prompt.clean, prompt.corrupt]), known, 1e-12);
          const [, gradient] = await prompt.gradients([prompt.corrupt, prompt.clean]);
          for (const element of [0, 7, prompt.clean.length - 1]) {
            const moved = [1e-5, -1e-5].map((step) => prompt.clean.map((x, i) => x + (i === element ? step : 0)));
            const [above, below] = await prompt.values(moved);
            expect(gradient![element], `element ${element}`).to.be.closeTo((above! - below!) / 2e-5, 1e-7);
          }
        });
      }));

    it('integrated gradients and Shapley values sum to the metric’s difference from the baseline', () =>
      withScene(async (engine, examples) => {
        for (const key of ['ig', 'shap'])
          for (const { values, clean, baseline } of (await attributeTokens(engine, examples, ask(key))).prompts)
            expect(total(values), key).to.be.closeTo(clean - baseline, key === 'ig' ? 1e-2 : 1e-9);
      }));

    it('a token left out is the prompt with the other prompt’s token in its place', () =>
      withScene(async (engine, examples) => {
        const example = examples[0]!;
        const { prompts } = await attributeTokens(engine, [example], ask('loo'));
        const replaced = example.clean.map((_, at) =>
          example.clean.map((id, position) => (position === at ? example.corrupt[at]! : id)),
        );
        const batch = {
          length: example.clean.length,
          examples: replaced.map((clean) => ({ ...example, clean, corrupt: example.clean })),
        };
        const options = { metric: 'logit-difference', direction: 'noising' } as const;
        await withSession(engine, batch, options, async ({ clean, corrupt }) =>
          near(
            prompts[0]!.values,
            Array.from(clean, (x, i) => corrupt[i]! - x),
            1e-12,
          ),
        );
        example.clean.forEach((id, i) => {
          if (id === example.corrupt[i]) expect(prompts[0]!.values[i], 'where the prompts agree').to.equal(0);
        });
      }));
  });

/** A model's weights but its biases, which may be absent. */
async function withoutBiases({ config, weights }: Model): Promise<Model> {
  const names = [...weights.shapes.keys()].filter((name) => !/\.b_?\w*$/.test(name));
  const tensors = names.map(async (name) => [
    name,
    { shape: weights.shapes.get(name)!, data: await weights.read(name) },
  ]);
  return handMade(config, Object.fromEntries(await Promise.all(tensors)));
}

describe('layer-wise relevance propagation', () => {
  it('hands on all of the metric where no bias takes a share, through norms, gates and attention', async () => {
    const { model, batch } = await sceneOf('RMSNorm, rotary, grouped queries, gated MLP');
    await withEngine({ model: await withoutBiases(model), runtime: createReferenceRuntime() }, async (engine) => {
      const sum = async (key: string): Promise<readonly [number, number]> => {
        const [found] = (await attributeTokens(engine, batch.examples, ask(key, { baseline: 'zero' }))).prompts;
        return [total(found!.values), found!.clean];
      };
      const [relevance, metric] = await sum('lrp');
      expect(relevance).to.be.closeTo(metric, 1e-9);
      const [gradient] = await sum('grad-x-input');
      expect(Math.abs(gradient - metric)).to.be.greaterThan(1e-3);
    });
  });
});

describe('attribution to tokens', () => {
  const shape = Object.keys(SHAPES)[0]!;
  const spanned = async (spans: readonly Example['spans'][]) => {
    const { model, batch } = await sceneOf(shape);
    return { model, examples: spans.map((own, i) => ({ ...batch.examples[i]!, spans: own })) };
  };
  const inEngine = async (
    { model, examples }: Awaited<ReturnType<typeof spanned>>,
    question: TokenQuestion,
    options: { memoryBytes?: number; chunkTokens?: number } = {},
  ) =>
    withEngine({ model, runtime: createReferenceRuntime(), options }, (engine) =>
      attributeTokens(engine, examples, question),
    );

  it('gives a span what its tokens lose together, and what no span names to the other tokens', async () => {
    const scene = await spanned([{ A: [1, 4], B: [5, 6] }]);
    const { division, prompts } = await inEngine(scene, ask('occlusion'));
    expect(division.names).to.deep.equal(['A', 'B', 'other tokens']);
    expect(prompts[0]!.units.map(({ positions }) => positions)).to.deep.equal([[1, 2, 3], [5], [0, 4]]);
  });

  it('is the same however few prompts fit at once', async () => {
    const scene = await spanned([{ A: [1, 4], B: [5, 6] }]);
    for (const key of ['ig', 'shap', 'loo']) {
      const whole = await inEngine(scene, ask(key));
      const bits = await inEngine(scene, ask(key), { chunkTokens: 1 });
      near(bits.prompts[0]!.values, [...whole.prompts[0]!.values], 1e-12);
    }
  });

  it('refuses spans that some prompts lack, that overlap, or that nobody named', async () => {
    const lacking = await spanned([{ A: [1, 4], B: [5, 6] }, { A: [1, 2] }]);
    const asked = ask('occlusion', { spans: ['A', 'B'] });
    await refused(inEngine(lacking, asked), 'attribution/spans', 'span B is absent from 1 of 2 prompts');
    expect((await inEngine(lacking, ask('occlusion'))).division.names).to.deep.equal(['A', 'other tokens']);
    await refused(inEngine(lacking, ask('loo', { spans: ['C'] })), 'attribution/spans', '--spans A');
    const overlapping = await spanned([{ A: [1, 4], B: [3, 6] }]);
    await refused(inEngine(overlapping, ask('shap')), 'attribution/spans', 'A and B of pair 0 overlap');
    expect((await inEngine(overlapping, ask('occlusion'))).prompts).to.have.length(1);
  });

  it('refuses a gradient at the clean prompt for a divergence from it, and too few points', async () => {
    const scene = await spanned([{}]);
    const kl = { metric: 'kl-divergence' } as const;
    await refused(inEngine(scene, ask('grad-x-input', kl)), 'attribution/gradient', 'use the method ig');
    expect(total((await inEngine(scene, ask('ig', kl))).prompts[0]!.values)).to.be.greaterThan(0);
    const one = { ...OPTIONS, rule: 'trapezoid', steps: 1 };
    await refused(inEngine(scene, ask('ig', { options: one })), 'discovery/steps', 'at least 2');
  });

  it('refuses a method that is not there', () =>
    expect(() => findTokenMethod('lime')).to.throw('choose one of ig, grad-x-input, lrp, loo, occlusion, shap'));

  it('stops when it is told to', async () => {
    const stop = AbortSignal.abort(new Error('enough'));
    const stopped = await inEngine(await spanned([{}]), ask('loo', { signal: stop })).catch((error: Error) => error);
    expect(stopped).to.have.property('message', 'enough');
  });
});

describe('tokens of the bundled IOI model', () => {
  const folder = fileURLToPath(new URL('../../../models/ioi', import.meta.url));
  it('the names matter, and the swapped name explains the corrupt prompt alone', async function () {
    skipWithout(this, existsSync(folder) ? folder : null, 'models/ioi is absent');
    await withWorkbench({ model: folder, runtime: 'onnx', threads: 1 }, async ({ model, engine }) => {
      const request = { task: 'ioi', examples: 8, seed: 0, bos: undefined, split: false };
      const { task } = await openTask(model, request);
      const means = async (question: TokenQuestion): Promise<Record<string, number>> => {
        const { prompts, division } = await attributeTokens(engine, task.examples, question);
        for (const { values, clean, baseline } of prompts)
          if (question.method.sums) expect(total(values)).to.be.closeTo(clean - baseline, 0.02 * (clean - baseline));
        const of = (name: string): number[] =>
          prompts.map(({ units, values }) => values[units.findIndex((unit) => unit.name === name)] ?? 0);
        return Object.fromEntries(division.names.map((name) => [name, total(of(name)) / prompts.length]));
      };
      const byZero = await means(ask('shap', { baseline: 'zero' }));
      expect(byZero['IO']).to.be.greaterThan(Math.max(...Object.values(byZero).filter((x) => x !== byZero['IO'])));
      for (const name of ['IO', 'S1', 'S2'])
        for (const other of ['PLACE', 'S1+1'])
          expect(Math.abs(byZero[name]!), `${name} against ${other}`).to.be.greaterThan(Math.abs(byZero[other]!));
      const byCorrupt = await means(ask('shap'));
      for (const [name, value] of Object.entries(byCorrupt))
        if (name === 'S2') expect(value).to.be.greaterThan(5);
        else expect(value, name).to.equal(0);
      await means(ask('ig', { options: { ...OPTIONS, steps: 64 } }));
    });
  });
});
