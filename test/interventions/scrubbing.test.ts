/** Causal scrubbing against a slow recursion, against enumeration, and on models whose circuit is known. */
import { expect } from 'chai';
import type { Universe } from '../../src/circuit/types.js';
import type { Engine } from '../../src/engine/core/engine.js';
import type { Batch } from '../../src/engine/core/batches.js';
import { withScrubPool, type Read, type Said } from '../../src/engine/questions/scrub.js';
import { drawRun, EVERYTHING, layoutOf, onlyClaim, type Tested } from '../../src/interventions/scrubbing/draw.js';
import type { FeatureSource } from '../../src/interventions/scrubbing/schema.js';
import { planScrub, scrub, type ScrubOptions } from '../../src/interventions/scrubbing/scrub.js';
import { loadModel } from '../../src/model/load.js';
import type { Model } from '../../src/model/types.js';
import { createRuntime, type Runtime } from '../../src/runtime/index.js';
import { seeded } from '../../src/task/random.js';
import type { Example } from '../../src/task/types.js';
import { Oracle } from '../engine/oracle.js';
import { logitDifference } from '../engine/scene.js';
import { contrast, expectNear, withEngine } from '../helpers/engine.js';
import { randomModel, NORMED_WRITES, SHAPES } from '../helpers/models/hand-made.js';
import { golden } from '../helpers/model-files.js';
import {
  example,
  hypothesisOf,
  NaiveScrub,
  prompts,
  randomHypothesis,
  universeOf,
  type Nodes,
} from '../helpers/naive-scrub.js';

const OPTIONS: ScrubOptions = { metric: 'logit-difference', draws: 4, seed: 1, unimportant: 'shared' };

const mean = (values: ArrayLike<number>): number => Array.from(values).reduce((sum, x) => sum + x, 0) / values.length;

describe('causal scrubbing', () => {
  let runtime: Runtime;
  before(async () => (runtime = await createRuntime('reference', { threads: 1 })));
  after(() => runtime.dispose());

  const onModel = <T>(model: Model, work: (engine: Engine) => Promise<T>): Promise<T> =>
    withEngine({ model, runtime }, work);

  const scrubbed = (engine: Engine, examples: readonly Example[], nodes: Nodes, options: Partial<ScrubOptions> = {}) =>
    scrub(engine, planScrub(engine, examples, hypothesisOf(nodes, engine.universe), { ...OPTIONS, ...options }));

  const recovered = ({ clean, random, scrubbed: values }: Awaited<ReturnType<typeof scrub>>): number =>
    (mean(values) - mean(random)) / (mean(clean) - mean(random));

  describe('of random hypotheses about random models', () => {
    for (const [shape, config] of Object.entries(SHAPES).filter(([name]) => name !== NORMED_WRITES))
      it(`${shape}: the metric of every draw and of every claim is the slow recursion's, to 1e-9`, async () => {
        const model = randomModel(config, 5);
        const universe = universeOf(model);
        const oracle = await Oracle.of(model, universe);
        const batch: Batch = { length: 4, examples: prompts(5, 3) };
        const naive = new NaiveScrub(oracle, universe, batch.examples);
        let computed = 0;
        await onModel(model, (engine) =>
          withScrubPool(engine, batch, 'logit-difference', async (pool) => {
            for (let seed = 1; seed <= 6; seed++) {
              const hypothesis = hypothesisOf(randomHypothesis(universe, 4, seed), universe);
              const layout = layoutOf(universe, hypothesis, batch.examples);
              const one = hypothesis.nodes[seed % hypothesis.nodes.length]!;
              const all: Tested[] = [EVERYTHING, onlyClaim(one, 'feature'), onlyClaim(one, 'inputs')];
              for (const [i, tested] of all.entries()) {
                const unimportant = seed % 2 === 0 ? 'shared' : 'separate';
                const read = drawRun(hypothesis, {
                  universe,
                  layout,
                  random: seeded(10 * seed + i),
                  unimportant,
                  tested,
                });
                const expected = batch.examples.map((own, e) => logitDifference(naive.reads('logits', read, e), own));
                expectNear(await pool.metric(read), expected, 1e-9, `hypothesis ${seed}, ${i}`);
                computed += read.given.filter(({ said }) => 'reads' in said).length;
              }
            }
          }),
        );
        expect(computed).to.be.greaterThan(5);
      });
  });

  describe('of hypotheses whose answer is known', () => {
    const model = randomModel(SHAPES['LayerNorm, learned positions, biases']!, 7);
    const examples = prompts(6, 4);
    /** Every sender into every reader, all the way down: `reads` names the nodes of the layers below. */
    const whole = (universe: Universe, feature: FeatureSource[]): Nodes => {
      const nodes: Nodes = { input: { at: 'input', feature } };
      const below = ['input'];
      for (let layer = 0; layer < universe.shape.nLayers; layer++) {
        const children = [...below];
        nodes[`heads ${layer}`] = { at: `a${layer}.*`, feature, reads: { q: children, k: children, v: children } };
        nodes[`mlp ${layer}`] = { at: `m${layer}`, feature, reads: [...children, `heads ${layer}`] };
        below.push(`heads ${layer}`, `mlp ${layer}`);
      }
      return { ...nodes, logits: { at: 'logits', reads: below } };
    };

    it('that everything matters, each node depending on the whole prompt, reproduces the clean metric', () =>
      onModel(model, async (engine) => {
        const small = randomModel({ ...SHAPES['LayerNorm, learned positions, biases'], nLayers: 2 }, 7);
        await onModel(small, async (two) => {
          for (const unimportant of ['shared', 'separate'] as const) {
            const { clean, scrubbed: found } = await scrubbed(two, examples, whole(two.universe, ['prompt']), { draws: 1, unimportant }); // prettier-ignore
            expectNear(found, clean, 1e-12);
          }
        });
        const { clean, scrubbed: found } = await scrubbed(engine, examples, { out: { at: 'logits', reads: ['all'] }, all: { at: '*', feature: ['prompt'] } }); // prettier-ignore
        for (let draw = 0; draw < OPTIONS.draws; draw++)
          expectNear(found.subarray(draw * examples.length, (draw + 1) * examples.length), clean, 1e-12);
      }));

    it('that nothing matters gives the metric of random prompts: its expectation is that of all pairs of prompts', () =>
      onModel(model, async (engine) => {
        const oracle = await Oracle.of(model, engine.universe);
        const three = examples.slice(0, 3);
        const expected = three.map((own) => three.map(({ clean }) => logitDifference(oracle.run(clean), own)));
        const draws = 200;
        const result = await scrubbed(engine, three, { out: { at: 'logits', reads: [] } }, { draws });
        expectNear(result.random, expected.map(mean), 1e-9);
        expectNear(result.clean, expected.map((row, i) => row[i]!), 1e-9); // prettier-ignore
        expected.forEach((row, i) => {
          const drawn = Array.from({ length: draws }, (_, draw) => result.scrubbed[draw * 3 + i]!);
          const counts = row.map((value) => drawn.filter((one) => Math.abs(one - value) < 1e-9).length);
          expect(
            counts.reduce((sum, n) => sum + n, 0),
            'every draw is one of the prompts',
          ).to.equal(draws);
          for (const count of counts) expect(count / draws).to.be.closeTo(1 / 3, 5 * Math.sqrt(2 / 9 / draws));
        });
      }));

    it('has the expectation that enumerating all data points gives', () =>
      onModel(model, async (engine) => {
        const { universe } = engine;
        const four = [[0, 1, 2, 0], [1, 1, 2, 0], [0, 2, 1, 1], [2, 2, 1, 0]].map((ids, i) => example(i, ids, i, i + 1)); // prettier-ignore
        const nodes: Nodes = {
          out: { at: 'logits', reads: ['mlp'] },
          mlp: { at: 'm1@3', feature: [{ tokens: '3' }], reads: ['first'] },
          first: { at: 'a0.h1', feature: [{ tokens: '1' }] },
        };
        const naive = new NaiveScrub(await Oracle.of(model, universe), universe, four);
        const sender = (name: string): number => universe.senderIndex(name)!;
        const agree = (a: number, at: number): number[] => [0, 1, 2, 3].filter((b) => four[a]!.clean[at] === four[b]!.clean[at]); // prettier-ignore
        const any = [0, 1, 2, 3];
        const constant = (row: number): Int32Array => new Int32Array(4).fill(row);
        const expected = four.map((own, e) => {
          const values = any.flatMap((other) =>
            agree(e, 3).flatMap((x) =>
              agree(x, 1).flatMap((y) =>
                any.map((z) => {
                  const head = { sender: sender('a0.h1'), positions: null, said: { rows: constant(y) } };
                  const mlp = { sender: sender('m1'), positions: [3], said: { reads: [{ rows: constant(z), given: [head] }] } }; // prettier-ignore
                  const weight = 1 / (agree(e, 3).length * agree(x, 1).length);
                  const run = naive.reads('logits', { rows: constant(other), given: [mlp] }, e);
                  return { weight, value: logitDifference(run, own) };
                }),
              ),
            ),
          );
          const total = values.reduce((sum, { weight }) => sum + weight, 0);
          return values.reduce((sum, { weight, value }) => sum + weight * value, 0) / total;
        });
        const draws = 400;
        const { scrubbed: found } = await scrubbed(engine, four, nodes, { draws });
        expected.forEach((value, e) => {
          const drawn = Array.from({ length: draws }, (_, draw) => found[draw * 4 + e]!);
          const error = Math.sqrt(mean(drawn.map((x) => (x - mean(drawn)) ** 2)) / draws);
          expect(Math.abs(mean(drawn) - value)).to.be.at.most(4 * error);
        });
      }));

    it('is the same for the same seed, another for another', () =>
      onModel(model, async (engine) => {
        const nodes: Nodes = { out: { at: 'logits', reads: ['a'] }, a: { at: 'a1.h0', feature: [{ tokens: 'end' }] } };
        const [a, b, c] = [await scrubbed(engine, examples, nodes), await scrubbed(engine, examples, nodes), await scrubbed(engine, examples, nodes, { seed: 2 })]; // prettier-ignore
        expect(a.scrubbed).to.deep.equal(b.scrubbed);
        expect(a.scrubbed).not.to.deep.equal(c.scrubbed);
      }));
  });

  describe('draws', () => {
    const model = randomModel(SHAPES['LayerNorm, learned positions, biases']!, 7);
    const universe = universeOf(model);
    const examples = prompts(12, 4);
    const draw = (nodes: Nodes, unimportant: ScrubOptions['unimportant']): Read => {
      const hypothesis = hypothesisOf(nodes, universe);
      const layout = layoutOf(universe, hypothesis, examples);
      return drawRun(hypothesis, { universe, layout, random: seeded(3), unimportant, tested: EVERYTHING });
    };
    const nodes: Nodes = {
      out: { at: 'logits', reads: ['head'] },
      head: { at: 'a1.h0', feature: [{ tokens: '1' }], reads: { v: ['mlp'] } },
      mlp: { at: 'm0@2', feature: [{ tokens: '2' }, { tokens: '3' }] },
    };
    const readsOf = (said: Said): readonly Read[] => ('reads' in said ? said.reads : []);
    const token = (row: number, at: number): number => examples[row]!.clean[at]!;

    it('take prompts that agree in every feature with that of the node above, not with the one asked about', () => {
      const chain: Nodes = {
        out: { at: 'logits', reads: ['head'] },
        head: { at: 'a1.h0', feature: [{ tokens: '1' }], reads: { v: ['same', 'mlp'] } },
        same: { at: 'a0.h0', feature: ['prompt'] }, // shows which prompt the head was given
        mlp: { at: 'm0', feature: [{ tokens: '2' }] },
      };
      for (const unimportant of ['shared', 'separate'] as const) {
        const { given } = readsOf(draw(chain, unimportant).given[0]!.said)[2]!;
        const [same, mlp] = given.map(({ said }) => [...(said as { rows: Int32Array }).rows]) as [number[], number[]];
        same.forEach((row, own) => expect(token(row, 1)).to.equal(token(own, 1)));
        mlp.forEach((row, own) => expect(token(row, 2)).to.equal(token(same[own]!, 2)));
        expect(same.filter((row, own) => row !== own)).to.have.lengthOf.at.least(4);
        expect(mlp.filter((row, own) => token(row, 2) !== token(own, 2))).to.have.lengthOf.at.least(2);
      }
    });

    it('take inputs of a node that do not matter from one prompt, or each from its own', () => {
      const [q, k, v] = readsOf(draw(nodes, 'shared').given[0]!.said);
      expect([q!.rows, v!.rows]).to.deep.equal([k!.rows, k!.rows]);
      expect([q!.given.length, v!.given.length]).to.deep.equal([0, 1]);
      const apart = readsOf(draw(nodes, 'separate').given[0]!.said);
      const { senderCount } = universe.readers[universe.readerIndex('a1.h0<v>')!]!;
      expect(apart[0]!.given, 'all senders').to.have.lengthOf(senderCount);
      const [mlp, rest] = apart[2]!.given.filter(({ sender }) => sender === universe.senderIndex('m0'));
      expect([mlp!.positions, rest!.positions]).to.deep.equal([[2], [0, 1, 3]]);
    });

    it('come from smaller pools where memory is short', () =>
      withEngine({ model, runtime, options: { memoryBytes: 60_000 } }, async (engine) => {
        const plan = planScrub(engine, examples, hypothesisOf(nodes, universe), OPTIONS);
        const sizes = plan.pools.map(({ indices }) => indices.length);
        expect(sizes.length).to.be.greaterThan(1);
        expect(sizes.reduce((sum, size) => sum + size, 0)).to.equal(12);
        expect(Math.min(...sizes)).to.be.at.least(2);
        const { clean, indices } = await scrub(engine, plan);
        const whole = await onModel(model, (other) => scrubbed(other, examples, nodes));
        expectNear(indices.map((i) => whole.clean[whole.indices.indexOf(i)]!), clean, 1e-12); // prettier-ignore
      }));
  });

  describe('of the compiled model that reverses its input', () => {
    /** All sequences of three symbols: ⟨bos⟩ a b c → c b a. */
    const sequences = [0, 1, 2].flatMap((a) => [0, 1, 2].flatMap((b) => [0, 1, 2].map((c) => [a, b, c] as const)));
    const { bos } = { bos: 3 };
    const examples = sequences.map((symbols, index): Example => {
      const answers = [1, 2, 3].map((position) => {
        const right = symbols[3 - position]!;
        return contrast(position, right, (right + 1) % 3);
      });
      const clean = [bos, ...symbols];
      return { index, clean, corrupt: clean, answers, spans: {}, group: null };
    });
    /** What is written at `position` is the token at `from`, which the head's value brings there. */
    const copies = (from: (position: number) => number): Nodes => {
      const nodes: Nodes = {};
      for (const position of [1, 2, 3]) {
        const feature = [{ tokens: `${from(position)}` }];
        nodes[`copy ${position}`] = { at: `a3.h0@${position}`, feature, reads: { v: [`token ${position}`] } };
        nodes[`token ${position}`] = { at: `input@${from(position)}`, feature };
      }
      return { out: { at: 'logits', reads: [1, 2, 3].map((position) => `copy ${position}`) }, ...nodes };
    };
    const ask = async (nodes: Nodes, options: Partial<ScrubOptions> = {}) => {
      const model = await loadModel(golden('ground-truth', 'reverse'));
      try {
        return await onModel(model, (engine) => scrubbed(engine, examples, nodes, options));
      } finally {
        await model.dispose();
      }
    };

    it('is explained in full by each token being carried to its mirror place', async () => {
      for (const unimportant of ['shared', 'separate'] as const) {
        const result = await ask(
          copies((position) => 4 - position),
          { unimportant },
        );
        expect(recovered(result)).to.be.closeTo(1, 1e-6);
        expectNear(result.scrubbed.subarray(0, 27), result.clean, 1e-6);
        for (const { values } of result.claims) expect(mean(values)).to.be.closeTo(mean(result.clean), 1e-6);
      }
    });

    it('is not explained by any other order, and the claims that fail are those about the wrong places', async () => {
      const result = await ask(
        copies((position) => position),
        { draws: 8 },
      );
      expect(recovered(result)).to.be.within(0.2, 0.5); // the middle stays where it is
      const share = (name: string, kind: string): number => {
        const { values } = result.claims.find((one) => one.node.name === name && one.kind === kind)!;
        return (mean(values) - mean(result.random)) / (mean(result.clean) - mean(result.random));
      };
      for (const position of [1, 3]) expect(share(`copy ${position}`, 'feature')).to.be.closeTo(2 / 3, 0.1);
      expect(share('copy 2', 'feature')).to.be.closeTo(1, 1e-6);
      expect(share('token 1', 'feature')).to.be.closeTo(1, 1e-6); // what the token itself says is as claimed
      expect(share('out', 'inputs')).to.be.closeTo(1, 1e-6); // nothing but the head writes the answer
    });
  });
});
