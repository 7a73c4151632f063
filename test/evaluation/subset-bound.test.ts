/** A bound on what was not measured: by hand, against all exact effects, and on a node that gradients miss. */
import { expect } from 'chai';
import { findMethod } from '../../src/attribution/edges/index.js';
import { Engine } from '../../src/engine/core/engine.js';
import { measureEffects } from '../../src/evaluation/effects.js';
import { boundMissed, type Missed, type SubsetSampling } from '../../src/evaluation/subset-bound.js';
import { meanOf, studentQuantile } from '../../src/evaluation/statistics/intervals.js';
import type { Model } from '../../src/model/types.js';
import { createRuntime, type Runtime } from '../../src/runtime/index.js';
import type { Example } from '../../src/task/types.js';
import { batchOf, contrast, withEngine } from '../helpers/engine.js';
import { randomModel } from '../helpers/models/random-model.js';
import { BATCH, HAND, MICRO } from '../helpers/models/micro.js';
import { refused } from '../helpers/model-files.js';
import { cancelling } from '../helpers/models/relu-chain.js';
import { everyOption } from '../helpers/options.js';

const METRIC = 'logit-difference';
let runtime: Runtime;
before(async () => void (runtime = await createRuntime('reference', { threads: 1 })));
after(() => runtime.dispose());

const using = <T>(model: Model, work: (engine: Engine) => Promise<T>): Promise<T> =>
  withEngine({ model, runtime }, work);

const bound = (
  engine: Engine,
  examples: readonly Example[],
  options: Partial<SubsetSampling> & { measured?: readonly number[] },
): Promise<Missed> =>
  boundMissed(engine, examples, {
    ...{ samples: 200, probability: 0.1, confidence: 0.95, seed: 0, measured: [], metric: METRIC },
    ...options,
  });

/** Mean exact effect of every edge. */
const exactEffects = async (engine: Engine, examples: readonly Example[]): Promise<number[]> => {
  const cuts = Array.from({ length: engine.universe.edgeCount }, (_, edge) => ({ edge }));
  return (await measureEffects(engine, examples, cuts, { metric: METRIC })).map(meanOf);
};

const { examples: ONE } = batchOf([{ clean: [0], corrupt: [1], answers: [contrast(0, 0, 1)] }]);

describe('a bound on the effects that nobody measured', () => {
  it('of one edge alone: its effect, once it was cut and not cut', () =>
    using(cancelling(), async (engine) => {
      const { universe } = engine;
      const edge = universe.edgeIndex('m0->logits')!; // 2 straight, and nothing else changes
      const measured = Array.from({ length: universe.edgeCount }, (_, i) => i).filter((i) => i !== edge);
      const { effects, bound: most } = await bound(engine, ONE, { measured, probability: 0.5, samples: 10 });
      expect(effects).to.deep.equal([{ edge, estimate: 2, bound: 2 }]); // no sample differs from others of its kind
      expect(most).to.equal(2);
    }));

  it('is Welch’s: of two edges whose effects 2 and −1 add up, from the subsets that seed 3 draws', () =>
    using(cancelling(), async (engine) => {
      const { universe } = engine;
      const pair = ['m0->logits', 'm1->logits'].map((name) => universe.edgeIndex(name)!);
      const measured = Array.from({ length: universe.edgeCount }, (_, i) => i).filter(
        (i) => !pair.some((one) => one === i),
      );
      const options = { measured, probability: 0.5, samples: 40, confidence: 0.9, seed: 3 };
      const { effects, bound: most } = await bound(engine, ONE, options);
      // 2a − b with a and b 0 or 1: in the half with a, b varies, and so on; the counts are the seed's
      for (const { edge, estimate, bound: own } of effects) {
        const [effect, other] = edge === pair[0] ? [2, 1] : [1, 2];
        expect(own - Math.abs(estimate), 'of the other edge’s spread').to.be.closeTo(
          studentQuantile(0.9, 38) * other * Math.sqrt(0.25 / 19 + 0.25 / 19),
          0.06,
        );
        expect(own).to.be.above(effect * 0.9);
      }
      expect(most).to.equal(Math.max(...effects.map((effect) => effect.bound)));
    }));

  it('comes down to the largest effect as subsets grow many, where effects add up', async () => {
    const engine = new Engine(MICRO, runtime);
    const largest = Math.max(...Object.values(HAND).map((changes) => Math.abs(meanOf(changes))));
    const few = await bound(engine, BATCH.examples, { samples: 100 });
    const many = await bound(engine, BATCH.examples, { samples: 1600 });
    expect(few.bound).to.be.above(largest);
    expect(many.bound)
      .to.be.above(0.8 * largest)
      .and.below(few.bound);
    await engine.dispose();
  }).timeout(20_000);

  it('says nothing where everything was measured', () =>
    using(cancelling(), async (engine) => {
      const measured = Array.from({ length: engine.universe.edgeCount }, (_, i) => i);
      expect(await bound(engine, ONE, { measured })).to.deep.equal({ effects: [], bound: 0 });
    }));

  it('is the same for the same seed', () =>
    using(cancelling(), async (engine) => {
      const first = await bound(engine, ONE, { seed: 7 });
      expect(await bound(engine, ONE, { seed: 7 })).to.deep.equal(first);
      expect(await bound(engine, ONE, { seed: 8 })).to.not.deep.equal(first);
    }));
});

describe('on random models, whose exact effects are all known', () => {
  const CONFIDENCE = 0.9;
  it(`holds in ${100 * CONFIDENCE} % of 60 models at least`, async function () {
    this.timeout(120_000);
    let held = 0;
    for (let seed = 0; seed < 60; seed++)
      await using(
        randomModel({ nLayers: 1 + (seed % 2), norm: seed % 4 === 0 ? null : 'LN' }, seed),
        async (engine) => {
          const pair = (a: number, b: number) => ({
            clean: [a, 2, b],
            corrupt: [b, 2, a],
            answers: [contrast(2, a, b)],
          });
          const { examples } = batchOf([pair(seed % 5, 5), pair(6, seed % 4)]);
          const exact = await exactEffects(engine, examples);
          // the three strongest are known, as after a ranking
          const order = [...exact.keys()].sort((a, b) => Math.abs(exact[b]!) - Math.abs(exact[a]!));
          const measured = order.slice(0, 3);
          const largest = Math.abs(exact[order[3]!]!);
          const { bound: most } = await bound(engine, examples, {
            ...{ measured, samples: 60, confidence: CONFIDENCE, seed },
          });
          if (most >= largest) held++;
        },
      );
    expect(held / 60).to.be.at.least(CONFIDENCE);
  });
});

describe('a false negative of attribution patching', () => {
  it('is the first suspect, and below the bound', () =>
    using(cancelling(), async (engine) => {
      const { universe } = engine;
      const exact = await exactEffects(engine, ONE);
      const { scores } = await findMethod('eap').run({
        ...{ engine, examples: ONE, metric: METRIC, options: everyOption(), signal: new AbortController().signal },
        onProgress: () => undefined,
      });
      const missed = universe.edgeIndex('input->m0')!;
      expect(scores.mean[missed]).to.equal(0);
      expect(exact[missed]).to.equal(1);
      // what the ranking puts on top was measured
      const measured = [...scores.mean.keys()].filter((edge) => scores.mean[edge] !== 0);
      const { effects, bound: most } = await bound(engine, ONE, { measured, samples: 200 });
      expect(universe.edgeName(effects[0]!.edge)).to.equal('input->m0');
      expect(effects[0]!.estimate).to.be.closeTo(1, 1e-6); // the others do nothing
      expect(most).to.be.at.least(1);
      expect(effects[1]!.bound).to.be.below(0.5);
    }));
});

describe('asked for the impossible', () => {
  const asked = (options: Partial<SubsetSampling>) => using(cancelling(), (engine) => bound(engine, ONE, options));
  it('too few subsets', () => refused(asked({ samples: 20 }), 'evaluation/samples', 'at least 50'));
  it('a probability of 1', () => refused(asked({ probability: 1 }), 'evaluation/samples', 'between 0 and 1'));
  it('certainty', () => refused(asked({ confidence: 1 }), 'evaluation/samples', 'below 1'));
});
