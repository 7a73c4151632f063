/** Grids of activation patching against TransformerLens' own, and laws that every grid obeys. */
import { expect } from 'chai';
import type { Direction } from '../../src/engine/sources/kinds.js';
import { withSession } from '../../src/engine/questions/session.js';
import { runGrids, type Patching } from '../../src/interventions/patching/patching.js';
import { planGrids, type GridRequest } from '../../src/interventions/patching/plan.js';
import { loadModel } from '../../src/model/load.js';
import type { Model, ModelConfig } from '../../src/model/types.js';
import { createRuntime } from '../../src/runtime/index.js';
import type { Runtime } from '../../src/runtime/types.js';
import type { Example } from '../../src/task/types.js';
import { batchOf, contrast, expectNear, withEngine } from '../helpers/engine.js';
import { golden, refused } from '../helpers/model-files.js';
import { pairsOf, tablesOf } from '../helpers/peer-pairs.js';
import { randomModel } from '../helpers/models/random-model.js';
import { onEveryRuntime } from '../runtime/available.js';

const METRIC = 'logit-difference';
const run = (
  { model, runtime }: { model: Model; runtime: Runtime },
  examples: readonly Example[],
  { direction = 'denoising', ...request }: GridRequest & { direction?: Direction },
): Promise<Patching> =>
  withEngine({ model, runtime }, (engine) =>
    runGrids(engine, examples, { metric: METRIC, direction, grids: planGrids(model.config, examples, request) }),
  );

/** Each patched run less the run it was made in, as the peer's tables have it. */
function changes({ clean, corrupt, direction, grids }: Patching): Float64Array {
  const base = direction === 'denoising' ? corrupt : clean;
  return grids[0]!.perExample.map((value, i) => value - base[i % base.length]!);
}

/** TransformerLens' table → the grid. */
const TABLES: Readonly<Record<string, GridRequest>> = {
  resid_pre: { grid: 'resid-pre', by: 'position' },
  attn_out: { grid: 'attention-out', by: 'position' },
  mlp_out: { grid: 'mlp-out', by: 'position' },
  head_out_all_pos: { grid: 'z', by: 'all' },
  head_out_by_pos: { grid: 'z', by: 'position' },
  head_q_all_pos: { grid: 'q', by: 'all' },
  head_k_all_pos: { grid: 'k', by: 'all' },
  head_v_all_pos: { grid: 'v', by: 'all' },
  head_pattern_all_pos: { grid: 'pattern', by: 'all' },
};

/** [layer, position, head, example] of the peer → [layer, head, position, example]. */
function headsFirst(
  values: Float64Array,
  [layers = 0, positions = 0, heads = 0, examples = 0]: readonly number[],
): Float64Array {
  const result = new Float64Array(values.length);
  for (let l = 0; l < layers; l++)
    for (let p = 0; p < positions; p++)
      for (let h = 0; h < heads; h++)
        for (let e = 0; e < examples; e++)
          result[((l * heads + h) * positions + p) * examples + e] =
            values[((l * positions + p) * heads + h) * examples + e]!;
  return result;
}

for (const architecture of ['gpt2', 'llama', 'gpt_neox'])
  await onEveryRuntime(
    `TransformerLens' grids of the ${architecture} golden`,
    ({ key, create }) => {
      const examples = pairsOf(architecture);
      let of: { model: Model; runtime: Runtime };
      before(
        async () => (of = { model: await loadModel(golden('architectures', architecture)), runtime: await create() }),
      );
      after(async () => {
        await of.runtime.dispose();
        await of.model.dispose();
      });
      for (const direction of ['denoising', 'noising'] as const)
        for (const [table, request] of Object.entries(TABLES))
          it(`${table}, ${direction}`, async () => {
            const found = changes(await run(of, examples, { ...request, direction }));
            const { values, shape } = tablesOf(architecture, 'patching')(`${direction}.${table}`);
            expectNear(
              found,
              table === 'head_out_by_pos' ? headsFirst(values, shape) : values,
              key === 'reference' ? 1e-9 : 1e-4,
            );
          });
    },
    (key) => key === 'onnx' || key === 'reference',
  );

const CONFIG = { nLayers: 2, nHeads: 2, dMlp: 8, parallelBlocks: false } as ModelConfig;
const span = (clean: number[], spans: Example['spans'] = {}): Example => ({
  ...batchOf([{ clean, corrupt: clean }]).examples[0]!,
  spans,
});

describe('planning grids', () => {
  const axesOf = (request: GridRequest, examples: readonly Example[] = [span([1, 2, 3])]) =>
    planGrids(CONFIG, examples, request).map(({ kind, axes }) => [
      kind.key,
      ...axes.map(({ name, labels }) => `${name}:${labels.length}`),
    ]);

  it('divides layers’ sites by position and heads not at all, unless asked otherwise', () => {
    expect(axesOf({ grid: 'resid-pre' })).to.deep.equal([['resid-pre', 'layer:2', 'position:3']]);
    expect(axesOf({ grid: 'z' })).to.deep.equal([['z', 'layer:2', 'head:2']]);
    expect(axesOf({ grid: 'pattern', by: 'position' })).to.deep.equal([['pattern', 'layer:2', 'head:2', 'position:3']]);
    expect(axesOf({ grid: 'mlp-out', by: 'all', layers: [1] })).to.deep.equal([['mlp-out', 'layer:1']]);
  });

  it('"every" is the streams by position and the heads at all positions', () => {
    const every = axesOf({ grid: 'every', by: 'position' });
    expect(every.map(([key]) => key)).to.deep.equal([
      'resid-pre',
      'attention-out',
      'mlp-out',
      'z',
      'q',
      'k',
      'v',
      'pattern',
    ]);
    expect(every[0]).to.deep.equal(['resid-pre', 'layer:2', 'position:3']);
    expect(every[3]).to.deep.equal(['z', 'layer:2', 'head:2']);
  });

  it('names a position after the span or the token that stands there in every prompt', () => {
    const examples = [
      span([7, 8, 9], { S2: [1, 2] }),
      span([7, 5, 9], { S2: [1, 2] }),
      span([7, 6, 4], { S2: [1, 2] }),
    ];
    const [grid] = planGrids(CONFIG, examples, { grid: 'resid-pre', tokenText: (id) => `t${id}` });
    expect(grid!.axes[1]!.labels).to.deep.equal(['0 "t7"', '1 S2', '2']);
  });

  it('refuses an unknown grid, layer or site', async () => {
    const plan = async (request: GridRequest, config = CONFIG) => planGrids(config, [span([1])], request);
    await refused(plan({ grid: 'resid' }), 'interventions/grid', '"resid"', 'resid-pre', 'every');
    await refused(plan({ grid: 'z', layers: [0, 2] }), 'interventions/grid', 'no layer 2', '0 … 1');
    await refused(plan({ grid: 'mlp-out' }, { ...CONFIG, dMlp: 0 }), 'interventions/grid', 'mlp-out', 'no MLPs');
    await refused(
      plan({ grid: 'resid-mid' }, { ...CONFIG, parallelBlocks: true }),
      'interventions/grid',
      'side by side',
    );
  });

  it('has a cell for each neuron of chosen layers, and refuses all layers, saying how many cells they have', async () => {
    expect(axesOf({ grid: 'neurons', layers: [1] })).to.deep.equal([['neurons', 'layer:1', 'neuron:8']]);
    expect(axesOf({ grid: 'neurons', layers: [0, 1], by: 'position' })).to.deep.equal([
      ['neurons', 'layer:2', 'neuron:8', 'position:3'],
    ]);
    const plan = async (config = CONFIG) => planGrids(config, [span([1, 2, 3])], { grid: 'neurons', by: 'position' });
    await refused(plan(), 'interventions/grid', 'all 2 have 48 cells', '--layers');
    await refused(plan({ ...CONFIG, dMlp: 0 }), 'interventions/grid', 'no MLPs');
  });

  it('refuses positions of prompts of unequal lengths', () =>
    refused(
      Promise.resolve().then(() => axesOf({ grid: 'resid-pre' }, [span([1, 2]), span([1, 2, 3])])),
      'interventions/positions',
      '2, 3 tokens',
      '--by, --resolution: span',
      'here --by all',
    ));

  it('divides prompts of unequal lengths by the spans that all of them have, unless asked for otherwise', async () => {
    const uneven = [span([1, 2], { S1: [0, 1], IO: [1, 2] }), span([1, 2, 3], { S1: [1, 3] })];
    expect(axesOf({ grid: 'resid-pre' }, uneven)).to.deep.equal([['resid-pre', 'layer:2', 'span:1']]);
    expect(axesOf({ grid: 'z' }, uneven)).to.deep.equal([['z', 'layer:2', 'head:2']]);
    await refused(
      Promise.resolve().then(() => axesOf({ grid: 'resid-pre', by: 'position' }, uneven)),
      'interventions/positions',
      '2, 3 tokens',
      'here --by span --spans S1',
    );
  });

  it('refuses a span that some prompts lack, naming those that every prompt has', () =>
    refused(
      Promise.resolve().then(() =>
        axesOf({ grid: 'resid-pre', by: 'span' }, [
          span([1, 2], { S1: [0, 1], IO: [1, 2] }),
          span([1, 2], { S1: [0, 1] }),
        ]),
      ),
      'interventions/positions',
      'IO is absent from 1 of 2',
      '--spans S1',
    ));
});

describe('laws of activation patching', () => {
  const model = randomModel({}, 3);
  let runtime: Runtime;
  before(async () => (runtime = await createRuntime('reference', { threads: 1 })));
  after(() => runtime.dispose());
  const go = (examples: readonly Example[], request: Parameters<typeof run>[2]) =>
    run({ model, runtime }, examples, request);
  const pair = (clean: number[], corrupt: number[], spans: Example['spans'] = {}): Example => ({
    ...batchOf([{ clean, corrupt, answers: [contrast(clean.length - 1, 1, 2)] }]).examples[0]!,
    spans,
  });
  const pairs = [pair([1, 2, 3, 4], [1, 5, 3, 4]), pair([2, 2, 6, 7], [3, 2, 0, 7])];

  it('a whole residual stream recovers everything, denoising, and loses everything, noising', async () => {
    for (const grid of ['resid-pre', 'resid-mid', 'resid-post'])
      for (const direction of ['denoising', 'noising'] as const) {
        const { grids } = await go(pairs, { grid, by: 'all', direction });
        const expected = direction === 'denoising' ? 1 : 0;
        for (const layer of [0, 1])
          expect(grids[0]!.recovery![layer], `${grid} ${direction}`).to.be.closeTo(expected, 1e-9);
      }
  });

  it('noising is denoising of the pair turned round', async () => {
    const turned = pairs.map((one) => ({ ...one, clean: one.corrupt, corrupt: one.clean }));
    const [a, b] = [
      await go(pairs, { grid: 'v', direction: 'noising' }),
      await go(turned, { grid: 'v', direction: 'denoising' }),
    ];
    expectNear(a.grids[0]!.perExample, b.grids[0]!.perExample, 1e-12);
  });

  it('positions before the prompts’ first difference change nothing', async () => {
    const { grids, clean } = await go([pairs[0]!], { grid: 'resid-pre', direction: 'noising' });
    expect(grids[0]!.perExample[0]).to.equal(clean[0]); // layer 0, position 0
    expect(grids[0]!.perExample[1]).not.to.be.closeTo(clean[0]!, 1e-6); // position 1 differs
  });

  it('spans gather positions of prompts of any lengths, each example as if it were alone', async () => {
    const long = pair([1, 2, 3, 4, 5], [1, 5, 3, 4, 5], { subject: [1, 3], end: [4, 5] });
    const short = pair([2, 6, 7], [3, 6, 7], { subject: [0, 1], end: [2, 3] });
    const both = await go([long, short], { grid: 'attention-out', by: 'span' });
    expect(both.grids[0]!.plan.axes[1]).to.deep.equal({ name: 'span', labels: ['subject', 'end'] });
    for (const [i, one] of [long, short].entries()) {
      const alone = (await go([one], { grid: 'attention-out', by: 'span' })).grids[0]!.perExample;
      expectNear(
        both.grids[0]!.perExample.filter((_, at) => at % 2 === i),
        alone,
        1e-12,
      );
    }
    const whole = (await go([short], { grid: 'resid-pre', by: 'position' })).grids[0]!.perExample;
    const spans = (await go([short], { grid: 'resid-pre', by: 'span' })).grids[0]!.perExample;
    expectNear([spans[0]!, spans[1]!], [whole[0]!, whole[2]!], 1e-12, 'spans of one token are positions');
  });

  it('entries of a pattern add up to its rows where the metric is linear in it; those of later keys are nothing', async () => {
    const linear = { model: randomModel({ nLayers: 1, dMlp: 0, norm: null }, 5), runtime };
    const of = async (grid: string) => run(linear, pairs, { grid, by: 'position' });
    const [rows, entries] = [await of('pattern'), await of('pattern-entries')];
    expect(entries.grids[0]!.plan.axes.map(({ name }) => name)).to.deep.equal(['layer', 'head', 'query', 'key']);
    const [row, entry] = [changes(rows), changes(entries)]; // [head, query(, key), example]
    for (let cell = 0; cell < 2 * 4; cell++)
      for (let example = 0; example < 2; example++) {
        const own = [0, 1, 2, 3].map((key) => entry[(cell * 4 + key) * 2 + example]!);
        expect(own.reduce((sum, x) => sum + x, 0)).to.be.closeTo(row[cell * 2 + example]!, 1e-12);
        for (const key of [0, 1, 2, 3]) if (key > cell % 4) expect(own[key]).to.equal(0);
      }
    expect(Math.max(...row.map(Math.abs))).to.be.above(0.01);
  });

  it('neurons add up to the output of their MLP where the metric is linear in it, at each position and span', async () => {
    const spanned = pairs.map((one): Example => ({ ...one, spans: { middle: [1, 3], end: [3, 4] } }));
    for (const gated of [false, true])
      for (const direction of ['denoising', 'noising'] as const)
        for (const by of ['all', 'position', 'span'] as const) {
          const linear = { model: randomModel({ nLayers: 1, norm: null, gatedMlp: gated }, 5), runtime };
          const of = async (grid: string) => changes(await run(linear, spanned, { grid, by, layers: [0], direction }));
          const [output, neurons] = [await of('mlp-out'), await of('neurons')]; // [place, example], [neuron, place, example]
          const summed = output.map((_, at) =>
            neurons.filter((_, i) => i % output.length === at).reduce((sum, x) => sum + x, 0),
          );
          expectNear(summed, output, 1e-12, `${gated ? 'gated, ' : ''}${direction}, ${by}`);
          expect(Math.max(...output.map(Math.abs))).to.be.above(0.01);
        }
  });

  it('a cell asked by itself is the cell of its grid', () =>
    withEngine({ model, runtime }, async (engine) => {
      const examples = pairs.map((one): Example => ({ ...one, spans: { middle: [1, 3], end: [3, 4] } }));
      const [plan] = planGrids(model.config, examples, { grid: 'neurons', layers: [1, 0], by: 'span' });
      const options = { metric: METRIC, direction: 'noising' } as const;
      const { grids } = await runGrids(engine, examples, { ...options, grids: [plan!] });
      await withSession(engine, { length: 4, examples }, options, async (session) => {
        for (const cell of [0, 7, 24, plan!.cells - 1]) {
          const [alone] = await session.ask([plan!.question(cell, examples[0]!)]);
          expectNear(alone!, grids[0]!.perExample.subarray(2 * cell, 2 * cell + 2), 1e-12, `cell ${cell}`);
        }
      });
    }));

  it('all keys of a query are the row itself, also where only the end of the prompts is recomputed', () =>
    withEngine({ model, runtime }, (engine) => {
      const late = { ...pair([1, 2, 3, 4], [1, 2, 5, 4]) };
      const batch = { length: 4, examples: [late] };
      return withSession(engine, batch, { metric: METRIC, direction: 'noising' }, async ({ ask, base }) => {
        const site = { kind: 'pattern' as const, layer: 1, heads: [1], positions: [3] };
        const asked = [site, { ...site, keys: [0, 1, 2, 3] }, { ...site, keys: [2] }, { ...site, keys: [0, 1, 3] }];
        const answers = await ask(asked.map((one) => ({ kind: 'sites', sites: [one] })));
        const [row, every, some] = answers.map((answer) => answer[0]!);
        expect(every).to.be.closeTo(row!, 1e-12);
        expect(some).not.to.be.closeTo(row!, 1e-6).and.not.closeTo(base[0]!, 1e-6);
      });
    }));

  it('there is no recovery where the two prompts do not differ in the metric', async () => {
    const { grids } = await go([pair([1, 2, 3], [1, 2, 3])], { grid: 'z' });
    expect(grids[0]!.recovery).to.equal(null);
  });
});
