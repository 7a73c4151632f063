/** What ablation sources say, looked at directly: means of two prompts by hand, noise, constants, and what is refused. */
import { expect } from 'chai';
import { Engine } from '../../../src/engine/core/engine.js';
import { withPrompts, withCachedRun } from '../../../src/engine/model-run/prompts.js';
import type { Batch } from '../../../src/engine/core/batches.js';
import { SOURCE_KINDS, type SourceKind } from '../../../src/engine/sources/kinds.js';
import { withSession } from '../../../src/engine/questions/session.js';
import { checkSource, makeSource, SOURCES } from '../../../src/engine/sources/index.js';
import type { Ingredients } from '../../../src/engine/sources/types.js';
import { TheveninError } from '../../../src/errors.js';
import { createRuntime, type Runtime } from '../../../src/runtime/index.js';
import type { Example } from '../../../src/task/types.js';
import { batchOf, contrast, expectNear, largest } from '../../helpers/engine.js';
import { refused } from '../../helpers/model-files.js';
import { randomModel } from '../../helpers/models/random-model.js';

/** Two prompts of three tokens. */
const TWO = batchOf([
  { clean: [1, 2, 5], corrupt: [4, 2, 6], answers: [contrast(2, 1, 4)] },
  { clean: [4, 0, 5], corrupt: [1, 0, 3], answers: [contrast(2, 4, 1)] },
]);
const MANY = batchOf(
  Array.from({ length: 200 }, (_, i) => ({
    clean: [i % 7, (3 * i) % 10, i % 9],
    corrupt: [i % 5, i % 10, (7 * i) % 8],
    answers: [contrast(2, 1, 4)],
  })),
);

describe('ablation sources', () => {
  let [runtime, engine] = [null, null] as unknown as [Runtime, Engine];
  before(async () => {
    runtime = await createRuntime('reference', { threads: 1 });
    engine = new Engine(randomModel({}, 5), runtime);
  });
  after(async () => {
    await engine.dispose();
    await runtime.dispose();
  });

  /** A site's values [examples · heads · pos · dHead] in the alternative of a batch. */
  const said = async (
    kind: SourceKind,
    given: Partial<Ingredients>,
    { batch = TWO, site = 'z', layer = 1 }: { batch?: Batch; site?: 'z' | 'm'; layer?: number } = {},
  ): Promise<Float64Array> => {
    const maker = await makeSource(engine, kind, { batches: [TWO], side: 'corrupt', ...given });
    return withPrompts(engine, batch, async ({ corrupt, firstChange }) => {
      const alternative = await maker(batch, { other: corrupt, firstChange });
      const values = Float64Array.from(await alternative[site][layer]!.read());
      alternative.dispose();
      return values;
    });
  };
  const run = (batch: Batch, site: 'z' | 'm' = 'z'): Promise<Float64Array> =>
    withCachedRun(engine, batch, 'corrupt', async (cached) => Float64Array.from(await cached[site][1]!.read()));

  it('two prompts, the mean by hand: (a + b) / 2 at each position; over positions, too, where they go together', async () => {
    const z = await run(TWO); // [examples = 2, heads = 2, pos = 3, dHead = 4]
    const [a, b] = [z.subarray(0, 24), z.subarray(24)];
    const half = a.map((x, i) => (x + b[i]!) / 2);
    expectNear(await said('positional-mean', {}), [...half, ...half], 1e-12);
    const together = half.map((_, i) => {
      const [head, column] = [Math.floor(i / 12), i % 4];
      return [0, 1, 2].reduce((sum, position) => sum + half[head * 12 + position * 4 + column]!, 0) / 3;
    });
    expectNear(await said('mean', {}), [...together, ...together], 1e-12);
  });

  it('a template of one prompt says what that prompt says; one template for all is the positional mean', async () => {
    const inTemplates = (group: (i: number) => string): Batch => ({
      ...TWO,
      examples: TWO.examples.map((example, i) => ({ ...example, group: group(i) })),
    });
    const own = inTemplates((i) => `${i}`);
    expectNear(await said('template-mean', { batches: [own] }, { batch: own }), await run(TWO), 1e-12);
    const one = inTemplates(() => 'T');
    const means = await said('positional-mean', {});
    expectNear(await said('template-mean', { batches: [one] }, { batch: one }), means, 1e-12);
  });

  describe('gaussian', () => {
    const noise = (scale = 1, seed = 0) => ({ batches: [MANY], noise: { scale, seed } });
    const inMany = { batch: MANY };

    it('lies around the mean, with the deviation of the reference prompts times the scale', async () => {
      const [mean, drawn] = [await said('mean', noise(), inMany), await said('gaussian', noise(2), inMany)];
      const z = await run(MANY); // 200 examples of [heads = 2, pos = 3, dHead = 4]
      for (const [head, column] of [
        [0, 1],
        [1, 2],
      ] as const) {
        const places = [...z.keys()].filter((i) => Math.floor(i / 12) % 2 === head && i % 4 === column);
        const deviation = (values: Float64Array): number =>
          Math.sqrt(places.reduce((sum, i) => sum + (values[i]! - mean[i]!) ** 2, 0) / places.length);
        const centre = places.reduce((sum, i) => sum + drawn[i]! - mean[i]!, 0) / places.length;
        expect(deviation(drawn) / deviation(z)).to.be.closeTo(2, 0.2); // 600 draws
        expect(centre / deviation(z)).to.be.closeTo(0, 0.3);
      }
    });

    it('is proportional to the scale, and another seed draws another', async () => {
      const mean = await said('mean', noise());
      const [one, two, other] = [
        await said('gaussian', noise(1)),
        await said('gaussian', noise(2)),
        await said('gaussian', noise(1, 1)),
      ];
      expectNear(two.map((x, i) => x - mean[i]!), one.map((x, i) => 2 * (x - mean[i]!)), 1e-9); // prettier-ignore
      expect(largest(other.map((x, i) => x - one[i]!))).to.be.above(1e-3);
    });

    it('of an example is the same however examples are batched, and its own for every example', async () => {
      const whole = await said('gaussian', noise());
      const alone = await said('gaussian', noise(), { batch: { ...TWO, examples: TWO.examples.slice(1) } });
      expect(whole.slice(24)).to.deep.equal(alone);
      expect(largest(whole.slice(0, 24).map((x, i) => x - alone[i]!))).to.be.above(1e-3);
    });
  });

  it('constants are said at every position of every prompt; means as constants are the mean', async () => {
    const [z, m] = [await said('mean', {}), await said('mean', {}, { site: 'm' })];
    const perHead = (values: Float64Array): Float64Array =>
      Float64Array.from({ length: 8 }, (_, i) => values[Math.floor(i / 4) * 12 + (i % 4)]!);
    const zeros = { z: new Float64Array(8), m: new Float64Array(8) };
    const sites = ['z', 'm', 'q', 'k', 'v'].flatMap((site) =>
      [0, 1].map((layer): [string, Float64Array] => [`${site}@${layer}`, site === 'm' ? zeros.m : zeros.z]),
    );
    const constants = new Map([
      ...sites,
      ['embedding@0', new Float64Array(8)] as const,
      ['z@1', perHead(z)] as const,
      ['m@1', m.slice(0, 8)] as const,
    ]);
    expectNear(await said('learned', { constants }), z, 1e-12);
    expectNear(await said('learned', { constants }, { site: 'm' }), m, 1e-12);
  });

  it('noise and constants refuse patterns before anything runs', async () => {
    const source = await makeSource(engine, 'gaussian', {
      batches: [TWO],
      side: 'corrupt',
      noise: { scale: 1, seed: 0 },
    });
    const options = { metric: 'logit-difference', direction: 'noising', source } as const;
    await withSession(engine, TWO, options, async ({ ask }) => {
      const runs = engine.counters.kernelRuns;
      const sites = [{ kind: 'z', layer: 0 }, { kind: 'pattern', layer: 1 }] as const; // prettier-ignore
      await refused(ask([{ kind: 'sites', sites }]), 'discovery/source', 'attention patterns');
      expect(engine.counters.kernelRuns).to.equal(runs);
    });
  });

  describe('refused before anything is computed', () => {
    const check = (kind: string, given: Partial<Parameters<typeof checkSource>[1]>): Promise<void> =>
      Promise.resolve().then(() =>
        checkSource(kind as SourceKind, {
          ...{ examples: TWO.examples, reference: TWO.examples, noise: { scale: 1, seed: 0 } },
          ...given,
        }),
      );
    const LONGER = batchOf([{ clean: [1, 2, 3, 4], corrupt: [2, 2, 3, 4] }]).examples;
    const inTemplate = (group: string, examples: readonly Example[]): Example[] =>
      examples.map((example) => ({ ...example, group }));

    const cases: readonly [string, Parameters<typeof check>, Parameters<typeof refused>[1], string[]][] = [
      ['a source of no known name', ['median', {}], 'discovery/source', ['"median"', ...SOURCE_KINDS]],
      [
        'a mean without reference prompts',
        ['mean', { reference: [] }],
        'discovery/source',
        ['--source mean', '2 of 2 pairs'],
      ],
      [
        'a positional mean of a length that no reference prompt has',
        ['positional-mean', { examples: [...TWO.examples, ...LONGER] }],
        'discovery/source',
        ['1 of 3 pairs', 'no prompts of 4 tokens', '--no-split'],
      ],
      ['a template mean of pairs without templates', ['template-mean', {}], 'discovery/source', ['pair 0', '"group"']],
      [
        'a template mean of a template that no reference prompt is made from',
        ['template-mean', { examples: inTemplate('A', TWO.examples), reference: inTemplate('B', TWO.examples) }],
        'discovery/source',
        ['template "A"'],
      ],
      ['noise of scale zero', ['gaussian', { noise: { scale: 0, seed: 0 } }], 'interventions/noise', ['scale 0']],
      ['noise of no scale', ['gaussian', { noise: { scale: NaN, seed: 0 } }], 'interventions/noise', ['scale NaN']],
    ];
    for (const [what, asked, code, pieces] of cases) it(what, () => refused(check(...asked), code, ...pieces));

    it('sources that need nothing are never refused', () => {
      for (const kind of SOURCE_KINDS.filter((one) => SOURCES[one].needs.prompts === null))
        expect(() => checkSource(kind, { examples: LONGER, reference: [], noise: { scale: 0, seed: 0 } })).not.to.throw(
          TheveninError,
        );
    });
  });
});
