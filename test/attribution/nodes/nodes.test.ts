/** Attribution to nodes: against the peer's table, against exact effects where they must agree, and what it refuses. */
import { expect } from 'chai';
import { Engine } from '../../../src/engine/core/engine.js';
import type { RiemannRule } from '../../../src/engine/gradients/riemann.js';
import {
  attributeNodes,
  findNodeMethod,
  NODE_METHODS,
  planNodes,
  type NodesQuestion,
} from '../../../src/attribution/nodes/index.js';
import { measureCells } from '../../../src/attribution/nodes/nodes.js';
import { pickOptions } from '../../../src/attribution/options.js';
import { planGrids, type GridRequest } from '../../../src/interventions/patching/plan.js';
import { loadModel } from '../../../src/model/load.js';
import type { Model } from '../../../src/model/types.js';
import { createRuntime } from '../../../src/runtime/index.js';
import type { Runtime } from '../../../src/runtime/types.js';
import type { Example } from '../../../src/task/types.js';
import { batchOf, contrast, expectNear } from '../../helpers/engine.js';
import { BATCH, MICRO } from '../../helpers/models/micro.js';
import { golden, refused } from '../../helpers/model-files.js';
import { readPeer } from '../../helpers/peer.js';
import { randomModel } from '../../helpers/models/random-model.js';
import { onEveryRuntime } from '../../runtime/available.js';

const METRIC = 'logit-difference';

interface Asked extends Partial<Omit<NodesQuestion, 'grids' | 'method' | 'options'>> {
  readonly method?: string;
  readonly steps?: number;
  readonly rule?: RiemannRule;
}

const questionOf = (
  { model }: Engine,
  examples: readonly Example[],
  { method: key = 'ap', steps = 3, rule = 'midpoint', ...asked }: Asked & GridRequest,
): NodesQuestion => {
  const { grid, by, layers, spans, ...rest } = asked;
  const grids = grid.split(',').flatMap((key) => planGrids(model.config, examples, { grid: key, by, layers, spans }));
  const method = findNodeMethod(key);
  return { grids, method, options: pickOptions(method, { steps, rule }), metric: METRIC, ...rest };
};

const attribute = (engine: Engine, examples: readonly Example[], asked: Asked & GridRequest) =>
  attributeNodes(engine, examples, questionOf(engine, examples, asked));

for (const architecture of ['gpt2', 'llama', 'gpt_neox'])
  await onEveryRuntime(
    `the ${architecture} golden's nodes.EAP`,
    ({ key, create }) => {
      let [model, runtime, engine] = [null, null, null] as unknown as [Model, Runtime, Engine];
      before(async () => {
        model = await loadModel(golden('architectures', architecture));
        runtime = await create();
        engine = new Engine(model, runtime);
      });
      after(async () => {
        await engine.dispose();
        await runtime.dispose();
        await model.dispose();
      });

      it('is attribution patching of heads, MLPs and the embedding, pair by pair', async () => {
        const { batch, edges } = readPeer(architecture);
        const examples = batch.examples.length;
        const { sites } = await attribute(engine, batch.examples, { grid: 'resid-pre,z,mlp-out', by: 'all' });
        const [stream, heads, mlps] = sites.map(({ perExample }) => perExample!);
        const { nHeads } = model.config;
        const found = engine.universe.senders.flatMap(({ kind, layer, head }) => {
          const [values, cell] = kind === 'input' ? [stream!, 0] : kind === 'mlp' ? [mlps!, layer] : [heads!, layer * nHeads + head]; // prettier-ignore
          return [...values.subarray(cell * examples, (cell + 1) * examples)];
        });
        const expected = edges('nodes.EAP').values.subarray(0, found.length); // theirs ends with the logits
        expectNear(found, expected.map((x) => -x), key === 'reference' ? 1e-7 : 1e-4); // prettier-ignore
      });
    },
    (key) => ['onnx', 'reference'].includes(key),
  );

describe('attribution to nodes', () => {
  const model = randomModel({}, 3);
  let [runtime, engine] = [null, null] as unknown as [Runtime, Engine];
  before(async () => {
    runtime = await createRuntime('reference', { threads: 1 });
    engine = new Engine(model, runtime);
  });
  after(async () => {
    await engine.dispose();
    await runtime.dispose();
  });
  const pair = (clean: number[], corrupt: number[], spans: Example['spans'] = {}): Example => ({
    ...batchOf([{ clean, corrupt, answers: [contrast(clean.length - 1, 1, 2)] }]).examples[0]!,
    spans,
  });
  const pairs = [
    pair([1, 2, 3, 4], [1, 5, 3, 4], { subject: [1, 3], end: [3, 4] }),
    pair([2, 2, 6, 7], [3, 2, 0, 7], { subject: [0, 1], end: [2, 4] }),
  ];
  const short = pair([2, 6, 7], [3, 6, 7], { subject: [0, 1], end: [2, 3] });

  for (const { key, along } of NODE_METHODS)
    it(`${key}: what is summed over all positions is the sum of what stands at each`, async () => {
      for (const grid of ['z', 'k', 'attention-out', 'neurons', 'resid-mid']) {
        const asked = { grid, method: key, layers: [0, 1] };
        const [all, position, span] = await Promise.all(
          (['all', 'position', 'span'] as const).map(async (by) => (await attribute(engine, pairs, { ...asked, by })).sites[0]!), // prettier-ignore
        );
        const { cells } = all!.plan;
        const sum = (one: typeof all, places: number): number[] =>
          Array.from({ length: cells }, (_, cell) => one!.mean.slice(cell * places, (cell + 1) * places).reduce((a, b) => a + b, 0)); // prettier-ignore
        expectNear(sum(position, 4), all!.mean, 1e-10, `${grid}, positions, along ${along}`);
        // the first pair's spans hold positions 1 to 3, before which it does not differ; the second's all but 1
        const at = (cell: number, place: number, e: number) => position!.perExample![(cell * 4 + place) * 2 + e]!;
        const spans = Array.from({ length: cells }, (_, cell) => [
          [at(cell, 1, 0) + at(cell, 2, 0), at(cell, 0, 1)],
          [at(cell, 3, 0), at(cell, 2, 1) + at(cell, 3, 1)],
        ]);
        expectNear(span!.perExample!, spans.flat(2), 1e-6, `${grid}, spans, along ${along}`);
      }
    });

  it('takes prompts of any lengths by span, each as if it were alone', async () => {
    for (const method of ['ap', 'ap-ig', 'ig']) {
      const asked = { grid: 'z,mlp-out', method, by: 'span' } as const;
      const both = await attribute(engine, [pairs[0]!, short], asked);
      for (const [i, one] of [pairs[0]!, short].entries()) {
        const alone = await attribute(engine, [one], asked);
        both.sites.forEach(
          ({ perExample }, s) =>
          expectNear(perExample!.filter((_, at) => at % 2 === i), alone.sites[s]!.perExample!, 1e-7, method), // prettier-ignore
        );
        expect(both.clean[i]).to.be.closeTo(alone.clean[0]!, 1e-12);
        expect(both.corrupt[i]).to.be.closeTo(alone.corrupt[0]!, 1e-12);
      }
    }
  });

  it('ig of the stream by position: cells of a layer add up to what the prompts differ by, the better the more points', async () => {
    const gaps: number[] = [];
    for (const steps of [1, 4, 40]) {
      const { sites, clean, corrupt } = await attribute(engine, pairs, {
        ...{ grid: 'resid-pre', by: 'position', method: 'ig' },
        ...{ steps, rule: 'gauss-legendre' },
      });
      const difference = pairs.reduce((sum, _, i) => sum + (clean[i]! - corrupt[i]!) / pairs.length, 0);
      const layers = [0, 1].map((l) => sites[0]!.mean.slice(4 * l, 4 * l + 4).reduce((a, b) => a + b, 0));
      gaps.push(Math.max(...layers.map((sum) => Math.abs(sum - difference))));
    }
    expect(gaps[1]).to.be.below(gaps[0]!);
    expect(gaps[2]).to.be.below(gaps[1]!).and.below(1e-6);
  });

  it('ig of the only node of its layer is its exact effect', async () => {
    const question = questionOf(engine, pairs, { grid: 'mlp-out', by: 'all', method: 'ig', steps: 40, rule: 'gauss-legendre' }); // prettier-ignore
    const { sites } = await attributeNodes(engine, pairs, question);
    const exact = await measureCells(engine, pairs, { grid: question.grids[0]!, cells: [0, 1], metric: METRIC });
    expectNear(sites[0]!.perExample!, exact.flatMap((one) => [...one]), 1e-6); // prettier-ignore
  });

  it('exact effects are those of the grid that replaces every cell', async () => {
    const [grid] = planGrids(model.config, pairs, { grid: 'neurons', by: 'span', layers: [1] });
    const measured = await measureCells(engine, pairs, { grid: grid!, cells: [23, 4], metric: METRIC });
    const alone = await measureCells(engine, [pairs[1]!], { grid: grid!, cells: [4], metric: METRIC });
    expect(measured[1]![1]).to.be.closeTo(alone[0]![0]!, 1e-12);
    expect(Math.abs(measured[0]![0]! - measured[1]![0]!)).to.be.above(1e-6);
  });

  it('is the same from small chunks; over the ceiling of memory it keeps means alone, having said so', async () => {
    const asked = { grid: 'z,neurons', by: 'position', layers: [0, 1], method: 'ap-ig' } as const;
    const whole = await attribute(engine, pairs, asked);
    const small = new Engine(model, runtime, { memoryBytes: 1000, chunkTokens: 1 });
    const plan = planNodes(small, pairs, questionOf(small, pairs, asked));
    const cells = (2 * 2 + 2 * 12) * 4;
    expect(plan).to.include({ cells, perExampleBytes: cells * 2 * 4, kept: false });
    expect(whole.memory).to.include({ cells, kept: true });
    const found = await attribute(small, pairs, asked);
    found.sites.forEach(({ mean, perExample }, s) => {
      expect(perExample).to.equal(null);
      expectNear(mean, whole.sites[s]!.mean, 1e-10);
      const { perExample: kept, plan: of } = whole.sites[s]!;
      expectNear(mean, Float64Array.from({ length: of.cells }, (_, i) => (kept![2 * i]! + kept![2 * i + 1]!) / 2), 1e-6); // prettier-ignore
    });
    const insisted = await attribute(small, pairs, { ...asked, keep: true });
    expectNear(insisted.sites[1]!.perExample!, whole.sites[1]!.perExample!, 1e-6);
    await small.dispose();
  });

  it('costs passes for all sites and layers together, or for each of them the layers from it on', async () => {
    const costOf = async (asked: Asked & GridRequest): Promise<number> => {
      const before = engine.counters.layerTokens;
      await attribute(engine, [pairs[1]!], asked);
      return (engine.counters.layerTokens - before) / pairs[1]!.clean.length - 2; // beside the two prompts
    };
    expect(await costOf({ grid: 'z', layers: [0] })).to.be.closeTo(1 + 1, 1e-9);
    expect(await costOf({ grid: 'resid-pre,z,q,neurons', layers: [0, 1] })).to.be.closeTo(1 + 1, 1e-9);
    expect(await costOf({ grid: 'z,mlp-out', method: 'ap-ig', steps: 5 })).to.be.closeTo(5 * (1 + 1), 1e-9);
    // of two layers: above the output of layer 0 one, above that of layer 1 none; from the stream entering them two and one
    expect(await costOf({ grid: 'mlp-out', method: 'ig', steps: 4 })).to.be.closeTo((4 * (1 + 1)) / 2, 1e-9);
    expect(await costOf({ grid: 'resid-pre', method: 'ig', steps: 4 })).to.be.closeTo((4 * (2 + 2 + 1 + 1)) / 2, 1e-9);
  });

  it('stops where it is told to', async () => {
    const controller = new AbortController();
    controller.abort();
    let stopped: unknown = null;
    await attribute(engine, pairs, { grid: 'z', signal: controller.signal }).catch(
      (error: unknown) => (stopped = error),
    );
    expect(stopped).to.have.property('name', 'AbortError');
  });

  it('refuses what is no node, no method, too few points, and a gradient that is zero by definition', async () => {
    const plan = async (asked: Asked & GridRequest) => planNodes(engine, pairs, questionOf(engine, pairs, asked));
    await refused(plan({ grid: 'pattern' }), 'interventions/grid', 'pattern is no node', 'mlp-out');
    await refused(plan({ grid: 'neurons' }), 'interventions/grid', 'all 2 have 24 cells');
    await refused(plan({ grid: 'z', method: 'gradient' }), 'interventions/estimator', '"gradient"', 'ap, ap-ig, ig');
    await refused(plan({ grid: 'z', method: 'ig', rule: 'trapezoid', steps: 1 }), 'discovery/steps', 'trapezoid');
    await refused(plan({ grid: 'z', metric: 'kl-divergence' }), 'interventions/estimator', 'no gradient', 'ap-ig');
    await plan({ grid: 'z', metric: 'kl-divergence', method: 'ap-ig' });
  });
});

describe('attribution to the nodes of the micro model', () => {
  for (const { key } of NODE_METHODS)
    it(`${key}: the exact effects, since it is linear`, async () => {
      const runtime = await createRuntime('reference', { threads: 1 });
      const engine = new Engine(MICRO, runtime);
      for (const grid of ['z', 'v', 'attention-out', 'resid-pre', 'resid-post']) {
        const question = questionOf(engine, BATCH.examples, { grid, by: 'position', method: key });
        const { sites } = await attributeNodes(engine, BATCH.examples, question);
        const cells = [...sites[0]!.mean.keys()];
        const exact = await measureCells(engine, BATCH.examples, { grid: question.grids[0]!, cells, metric: METRIC });
        expectNear(sites[0]!.perExample!, exact.flatMap((one) => [...one]), 1e-6, grid); // prettier-ignore
        // of output 1 − output 0 = 24, by hand: each head of layer 0 (18, 26), of layer 1 (18, 26); all of the stream 48
        if (grid === 'z') expectNear([0, 1, 2, 3].map((cell) => sites[0]!.perExample![3 * cell + 2]!), [18, 26, 18, 26], 1e-6); // prettier-ignore
        if (grid === 'resid-pre') expect(sites[0]!.perExample![2]).to.be.closeTo(48, 1e-5);
      }
      await engine.dispose();
      await runtime.dispose();
    });
});
