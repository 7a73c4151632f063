/** Vectors to steer with, and where they are added: contrasts of prompts read at sites, and what is refused before any compute. */
import { expect } from 'chai';
import type { Engine } from '../../src/engine/core/engine.js';
import { siteValues } from '../../src/engine/questions/site-values.js';
import type { SteeringSite } from '../../src/engine/questions/steered.js';
import { planPlaces } from '../../src/interventions/steering/places.js';
import {
  findSteeringSite,
  planContrast,
  plainPrompt,
  steeringVector,
  type Contrast,
  type ContrastVector,
} from '../../src/interventions/steering/vectors.js';
import { createRuntime, type Runtime } from '../../src/runtime/index.js';
import { batchOf, contrast, expectNear, withEngine } from '../helpers/engine.js';
import { refused } from '../helpers/model-files.js';
import { randomModel } from '../helpers/models/random-model.js';

let runtime: Runtime;
before(async () => (runtime = await createRuntime('reference', { threads: 1 })));
after(() => runtime.dispose());

const set = (...prompts: readonly (readonly number[])[]) => ({
  examples: prompts.map((ids, index) => plainPrompt(ids, index)),
  side: 'clean' as const,
});
const pairs = batchOf([{ clean: [3, 1, 4, 1, 5], corrupt: [2, 7, 1, 8, 2], answers: [contrast(4, 1, 2)] }]).examples;

const vectorOf = (engine: Engine, site: SteeringSite, asked: Contrast): Promise<ContrastVector> =>
  steeringVector(engine, planContrast(site, asked));

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

describe('a steering vector', () => {
  const model = randomModel({ nLayers: 3 }, 31);

  it('of pairs says how far they agree: one of three the other way round leaves a third of the length', () =>
    withEngine({ model, runtime }, async (engine) => {
      const site = { kind: 'resid-pre', layer: 2 } as const;
      const [a, b] = [[3, 1, 4], [3, 5, 4]] as const; // prettier-ignore
      const pair = (clean: readonly number[], corrupt: readonly number[]) => ({
        clean: [...clean],
        corrupt: [...corrupt],
        answers: [contrast(2, 1, 2)],
      });
      const of = (asked: ReturnType<typeof pair>[]) => {
        const { examples } = batchOf(asked);
        const sides = { plus: { examples, side: 'clean' }, minus: { examples, side: 'corrupt' } } as const;
        return vectorOf(engine, site, { ...sides, read: 'end' });
      };
      const alone = await of([pair(a, b)]);
      const mixed = await of([pair(a, b), pair(b, a), pair(a, b)]);
      expect(alone.agreement).to.be.closeTo(1, 1e-12);
      expect(mixed.agreement).to.be.closeTo(1 / 3, 1e-12);
      expectNear(mixed.values, alone.values.map((x) => x / 3), 1e-12, 'a third'); // prettier-ignore
      expect((await vectorOf(engine, site, { plus: set(a), minus: set(b), read: 'end' })).agreement).to.equal(null);
      await refused(of([pair(a, b), pair(b, a)]), 'interventions/steering', '2 pairs', 'cancel to zero');
    }));

  it('of a pair of prompts has a row for each token: the difference of what the site says', () =>
    withEngine({ model, runtime }, async (engine) => {
      for (const site of SITES) {
        const { rows, values } = await vectorOf(engine, site, {
          plus: set([1, 2, 3]),
          minus: set([1, 5, 3]),
          read: 'each',
        });
        const say = (ids: number[]) =>
          siteValues(engine, batchOf([{ clean: ids, corrupt: ids }]), { site, side: 'clean' });
        const [plus, minus] = [await say([1, 2, 3]), await say([1, 5, 3])];
        expect(rows).to.equal(3);
        expectNear(values, plus.map((x, i) => x - minus[i]!), 0, site.kind); // prettier-ignore
        expect([...values.slice(0, 8)], 'both begin with the same token').to.deep.equal(Array(8).fill(0));
      }
    }));

  it('of two sets is the difference of their means, over prompts of any lengths', () =>
    withEngine({ model, runtime }, async (engine) => {
      const site: SteeringSite = { kind: 'resid-post', layer: 1 };
      const last = async (ids: number[]) =>
        (await siteValues(engine, batchOf([{ clean: ids, corrupt: ids }]), { site, side: 'clean' })).slice(-8);
      const { rows, values } = await vectorOf(engine, site, {
        plus: set([1, 2, 3], [4]),
        minus: set([5, 6]),
        read: 'end',
      });
      const [a, b, c] = [await last([1, 2, 3]), await last([4]), await last([5, 6])];
      expect(rows).to.equal(1);
      expectNear(values, a.map((x, i) => (x + b[i]!) / 2 - c[i]!), 1e-14); // prettier-ignore
    }));

  it('read as a mean averages the rows of each prompt; read at a span, those of the span', () =>
    withEngine({ model, runtime }, async (engine) => {
      const site: SteeringSite = { kind: 'mlp-out', layer: 0 };
      const [plus, minus] = [set([1, 2, 3]), set([4, 5, 6])];
      const each = await vectorOf(engine, site, { plus, minus, read: 'each' });
      const meanOf = (rows: number[]) =>
        Array.from(
          { length: 8 },
          (_, j) => rows.reduce((sum, row) => sum + each.values[row * 8 + j]!, 0) / rows.length,
        );
      expectNear((await vectorOf(engine, site, { plus, minus, read: 'mean' })).values, meanOf([0, 1, 2]), 1e-14);
      expectNear((await vectorOf(engine, site, { plus, minus, read: '1..end' })).values, meanOf([1, 2]), 1e-14);
    }));

  it('of attention is the sum of those of its heads', () =>
    withEngine({ model, runtime }, async (engine) => {
      const asked: Contrast = { plus: set([1, 2, 3]), minus: set([4, 5, 6]), read: 'each' };
      const [all, ...heads] = await Promise.all(
        [
          { kind: 'attention-out', layer: 1 } as const,
          ...[0, 1].map((head) => ({ kind: 'z', layer: 1, head }) as const),
        ].map((site) => vectorOf(engine, site, asked)),
      );
      expectNear(all!.values, heads[0]!.values.map((x, i) => x + heads[1]!.values[i]!), 1e-13); // prettier-ignore
    }));
});

describe('planning to steer', () => {
  const { config } = randomModel({ nLayers: 3 }, 1);
  const site = (address: string, of = {}) =>
    Promise.resolve().then(() => findSteeringSite({ ...config, ...of }, address));

  it('finds sites by their addresses', async () => {
    expect(await site('resid2.pre')).to.deep.equal({ kind: 'resid-pre', layer: 2 });
    expect(await site('a1.out')).to.deep.equal({ kind: 'attention-out', layer: 1 });
    expect(await site('m0')).to.deep.equal({ kind: 'mlp-out', layer: 0 });
    expect(await site('a2.1')).to.deep.equal({ kind: 'z', layer: 2, head: 1 });
  });

  it('refuses sites that are unknown, several, or not in the model', async () => {
    await refused(site('resid2'), 'circuit/address', 'no site');
    for (const address of ['a1.h0.q', 'a1.*', 'resid*.pre', 'logits', 'a0.h1->logits', 'resid1.pre@end', 'm1.n3'])
      await refused(site(address), 'interventions/steering', `"${address}" is no site`, 'resid6.pre');
    await refused(site('resid3.pre'), 'interventions/steering', 'no resid3.pre', '0 … 2');
    await refused(site('a0.h2'), 'interventions/steering', 'h0 … h1');
    await refused(site('m1', { dMlp: 0 }), 'interventions/steering', 'no MLPs');
    await refused(site('resid1.mid', { parallelBlocks: true }), 'interventions/steering', 'side by side');
  });

  it('refuses contrasts without prompts, without a difference, of unequal lengths, or without the span', async () => {
    const plan = (plus: Contrast['plus'], minus: Contrast['minus'], read: string) =>
      Promise.resolve().then(() => planContrast({ kind: 'resid-pre', layer: 1 }, { plus, minus, read }));
    await refused(plan(set(), set([1]), 'end'), 'interventions/steering', 'plus set has no prompts');
    await refused(plan(set([1]), set([]), 'end'), 'interventions/steering', 'minus set has a prompt without tokens');
    await refused(plan(set([1, 2]), set([1, 2]), 'end'), 'interventions/steering', 'same prompts');
    await refused(plan(set([1, 2]), set([1]), 'each'), 'interventions/steering', '1, 2 tokens', 'pad');
    await refused(plan(set([1, 2]), set([3, 4]), 'S2'), 'interventions/positions', 'span S2 is absent');
    await refused(plan(set([1, 2]), set([3, 4]), 'a..b..c'), 'circuit/address', 'more than one');
    const nothing = withEngine({ model: randomModel({}, 1), runtime }, (engine) =>
      vectorOf(engine, { kind: 'resid-pre', layer: 0 }, { plus: set([1, 2]), minus: set([3, 2]), read: 'end' }),
    );
    await refused(nothing, 'interventions/steering', 'the same on both sides');
  });

  it('refuses places beyond a prompt, absent spans, rows that would be added elsewhere', async () => {
    const place = (rows: number, at?: string) => Promise.resolve().then(() => planPlaces(pairs, { rows, at }));
    await refused(place(6), 'interventions/steering', 'each of 6 tokens', 'pair 0 has only 5');
    await refused(place(3, 'end'), 'interventions/steering', 'from the front');
    await refused(place(1, 'S2'), 'interventions/positions', 'span S2 is absent');
    await refused(place(1, '7'), 'interventions/positions', 'no position 7');
  });
});
