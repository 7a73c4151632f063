/** Attention knock-out against a model written out the slow way, and what it refuses. */
import { expect } from 'chai';
import { attend } from '../../src/engine/model-run/layers.js';
import { withCachedRun } from '../../src/engine/model-run/prompts.js';
import { makeSpan } from '../../src/engine/core/span.js';
import { runGrids, type Patching } from '../../src/interventions/patching/patching.js';
import { planKnockout, type KnockoutRequest } from '../../src/interventions/patching/knockouts.js';
import type { Model, ModelConfig } from '../../src/model/types.js';
import { createRuntime, type Runtime } from '../../src/runtime/index.js';
import type { Example } from '../../src/task/types.js';
import { logitDifference, sceneOf } from '../engine/scene.js';
import { batchOf, expectNear, withEngine } from '../helpers/engine.js';
import { SHAPES } from '../helpers/models/hand-made.js';
import { refused } from '../helpers/model-files.js';
import { randomModel } from '../helpers/models/random-model.js';

type Asked = Partial<KnockoutRequest> & Pick<KnockoutRequest, 'knockout'>;
const DEFAULTS = { each: 'all', window: 1 } as const;

const run = (
  { model, runtime }: { model: Model; runtime: Runtime },
  examples: readonly Example[],
  asked: Asked,
): Promise<Patching> =>
  withEngine({ model, runtime }, (engine) =>
    runGrids(engine, examples, {
      ...{ metric: 'logit-difference', direction: 'noising' },
      grids: [planKnockout(model.config, examples, { ...DEFAULTS, ...asked })],
    }),
  );

/** A row of a pattern without some keys: the rest is renormalised. */
const without = (row: readonly number[], keys: readonly number[]): number[] => {
  const kept = row.map((share, key) => (keys.includes(key) ? 0 : share));
  const sum = kept.reduce((a, b) => a + b, 0);
  return kept.map((share) => share / sum);
};

describe('attention knock-out', () => {
  let runtime: Runtime;
  before(async () => (runtime = await createRuntime('reference', { threads: 1 })));
  after(() => runtime.dispose());

  it('leaves rows that sum to 1: nothing for the blocked keys, the others in their old proportions', async () => {
    const model = randomModel({}, 3);
    const batch = batchOf([{ clean: [1, 2, 3, 4], corrupt: [1, 2, 3, 4] }]);
    const [heads, length] = [2, 4];
    await withEngine({ model, runtime }, (engine) =>
      withCachedRun(engine, batch, 'clean', async (cached) => {
        const span = makeSpan(engine, 0, length);
        const patternOf = async (values: Float64Array): Promise<Float64Array> => {
          const knockout = engine.runtime.tensor(values, [1, 1, heads, length, length]);
          const swaps = { sites: [], inputs: {}, knockout };
          const options = { cached: null, swaps, wanted: ['pattern'] };
          const { pattern } = await attend({ engine, layer: 0, span }, cached.heads[0]!, options);
          return Float64Array.from(await pattern!.read());
        };
        const scores = new Float64Array(heads * length * length);
        const before = await patternOf(scores);
        for (const key of [1, 2]) scores[(1 * length + 3) * length + key] = -1e9; // head 1, query 3
        const after = await patternOf(scores);
        for (let row = 0; row < heads * length; row++) {
          const now = [...after.subarray(row * length, (row + 1) * length)];
          expect(now.reduce((a, b) => a + b, 0)).to.be.closeTo(1, 1e-12);
          const old = [...before.subarray(row * length, (row + 1) * length)];
          expectNear(now, row === length + 3 ? without(old, [1, 2]) : old, 1e-12);
        }
        span.dispose();
      }),
    );
  });

  for (const shape of Object.keys(SHAPES))
    it(`is what the model written out does without these entries (${shape})`, async () => {
      const { model, oracle, batch } = await sceneOf(shape);
      const { nLayers, nHeads } = model.config;
      const last = nLayers - 1;
      const asked: [Asked, (layer: number, head: number) => readonly [queries: number[], keys: number[]][]][] = [
        [{ knockout: 'a*.*.pattern@end<-1..2' }, () => [[[5], [1, 2]]]],
        [{ knockout: 'a0.h1.pattern@3..5<-0' }, (l, h) => (l === 0 && h === 1 ? [[[3, 4, 5], [0]]] : [])],
        [
          { knockout: `a0.h0.pattern@2<-1,a${last}.*.pattern@4<-0..3` },
          (l, h) => [
            ...(l === 0 && h === 0 ? [[[2], [1]] as [number[], number[]]] : []),
            ...(l === last ? [[[4], [0, 1, 2, 3]] as [number[], number[]]] : []),
          ],
        ],
      ];
      for (const [request, blocked] of asked) {
        const { grids } = await run({ model, runtime }, batch.examples, request);
        const expected = batch.examples.map((example) =>
          logitDifference(
            oracle.run(example.clean, {
              edit: (site, { layer, head }) =>
                site !== 'pattern' || blocked(layer, head).length === 0
                  ? null
                  : (position, row) =>
                      blocked(layer, head)
                        .filter(([queries]) => queries.includes(position))
                        .reduce((now, [, keys]) => without(now, keys), row),
            }),
            example,
          ),
        );
        expectNear(grids[0]!.perExample, expected, 1e-9, request.knockout);
      }
      const { grids } = await run({ model, runtime }, batch.examples, {
        knockout: 'a*.*.pattern@end<-0',
        each: 'head',
      });
      expect(grids[0]!.plan.axes.map(({ labels }) => labels.length)).to.deep.equal([nLayers, nHeads]);
    });

  it('goes layer by layer, with a window of layers around each', async () => {
    const model = randomModel({ nLayers: 4, dVocab: 11, dVocabOut: 11 }, 4);
    const { examples } = (await sceneOf(Object.keys(SHAPES)[0]!)).batch;
    const of = async (asked: Asked) => (await run({ model, runtime }, examples, asked)).grids[0]!;
    const windows = await of({ knockout: 'a*.*.pattern@end<-0..2', each: 'layer', window: 3, layers: [0, 1, 2] });
    expect(windows.plan.axes).to.deep.equal([{ name: 'layer', labels: ['0', '1', '2'] }]);
    const middle = await of({ knockout: 'a*.*.pattern@end<-0..2', layers: [0, 1, 2] });
    expectNear(windows.perExample.subarray(3, 6), middle.perExample, 1e-12, 'the window around layer 1');
    const edge = await of({ knockout: 'a*.*.pattern@end<-0..2', layers: [0, 1] });
    expectNear(windows.perExample.subarray(0, 3), edge.perExample, 1e-12, 'the window around layer 0');
  });
});

describe('planning knock-outs', () => {
  const config = { nLayers: 2, nHeads: 2, attention: 'causal' } as ModelConfig;
  const example: Example = {
    ...batchOf([{ clean: [1, 2, 3], corrupt: [1, 2, 4] }]).examples[0]!,
    spans: { S1: [0, 1], S2: [1, 2] },
  };
  const plan = (knockout: string, asked: Partial<KnockoutRequest> = {}) =>
    Promise.resolve().then(() => planKnockout(config, [example], { ...DEFAULTS, ...asked, knockout }));

  it('refuses what names no queries and keys, and heads that are not there', async () => {
    await refused(plan('a0.h0'), 'interventions/knockout', 'a5.*.pattern@end<-S2');
    await refused(plan('a0.h0.pattern@end'), 'interventions/knockout', 'names no queries and keys');
    await refused(plan('a2.h0.pattern@end<-S1'), 'interventions/knockout', '0 … 1', 'h0 … h1');
    await refused(plan('a*.h0.pattern@end<-S1', { layers: [2] }), 'interventions/knockout', 'in layers 2');
    await refused(plan('a0.h0.pattern@end<-IO'), 'interventions/positions', 'span IO is absent', 'S1, S2');
  });

  it('refuses to leave a query without keys, also by several addresses together', async () => {
    await refused(plan('a0.h0.pattern@S1<-S1'), 'interventions/knockout', 'position 0', 'without any key');
    await refused(plan('a0.*.pattern@end<-0..1,a0.h1.pattern@end<-end'), 'interventions/knockout', 'position 2');
  });

  it('refuses keys that no query sees anyway', () =>
    refused(plan('a0.h0.pattern@S1<-S2'), 'interventions/knockout', 'causal attention never looks'));
});
