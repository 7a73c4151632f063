/** Learned masks: the masked model is the engine's, its gradient is right, and known circuits are found. */
import { expect } from 'chai';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { freshPairs, jaccardOf, maskOf, openRivals } from '../../../bench/edge-pruning.js';
import { describeComparisons, type ComparisonReport } from '../../../bench/edge-pruning-table.js';
import { countIn, prune } from '../../../src/circuit/prune.js';
import { withMaskedModel } from '../../../src/attribution/edges/masks/model.js';
import { wholeModelBytes } from '../../../src/attribution/edges/whole-model.js';
import type { EdgeOptions } from '../../../src/attribution/edges/index.js';
import { eap } from '../../../src/attribution/edges/methods/gradient/eap.js';
import { edgePruning } from '../../../src/attribution/edges/methods/learned/edge-pruning.js';
import { subnetworkProbing } from '../../../src/attribution/edges/methods/learned/subnetwork-probing.js';
import { planBatches } from '../../../src/engine/core/batches.js';
import type { Engine } from '../../../src/engine/core/engine.js';
import type { SourceKind } from '../../../src/engine/sources/kinds.js';
import { withSession } from '../../../src/engine/questions/session.js';
import { makeSource } from '../../../src/engine/sources/index.js';
import { TheveninError } from '../../../src/errors.js';
import { faithfulness, measureCircuits } from '../../../src/evaluation/faithfulness.js';
import { loadModel } from '../../../src/model/load.js';
import type { ModelConfig } from '../../../src/model/types.js';
import { openTask, withWorkbench } from '../../../src/jobs/workbench.js';
import { createRuntime } from '../../../src/runtime/index.js';
import type { Runtime } from '../../../src/runtime/types.js';
import type { Example, MetricKey } from '../../../src/task/types.js';
import { batchOf, contrast, expectNear, withEngine } from '../../helpers/engine.js';
import { golden } from '../../helpers/model-files.js';
import { NORMED_WRITES, SHAPES } from '../../helpers/models/hand-made.js';
import { randomModel } from '../../helpers/models/random-model.js';
import { skipWithout } from '../../helpers/shared.js';
import { everyOption, type EveryContext } from '../../helpers/options.js';

const EXAMPLES = batchOf([
  { clean: [1, 2, 5, 3], corrupt: [4, 2, 5, 3], answers: [contrast(3, 1, 4)] },
  { clean: [6, 2, 0, 3], corrupt: [7, 2, 1, 3], answers: [contrast(3, 6, 7)] },
]).examples;

const contextOf = (engine: Engine, examples: readonly Example[], options: EdgeOptions): EveryContext => ({
  engine,
  examples,
  metric: 'logit-difference',
  options: everyOption(options),
  signal: new AbortController().signal,
  onProgress: () => undefined,
});

/** Numbers in 0 … 1, the same for everybody. */
const mixed = (count: number): Float32Array =>
  Float32Array.from({ length: count }, (_, i) => 0.5 + 0.5 * Math.sin(12.9898 * (i + 1)));

describe('the model under masks', () => {
  let runtime: Runtime;
  before(async () => (runtime = await createRuntime('reference', { threads: 1 })));
  after(() => runtime.dispose());

  const measure = async (
    engine: Engine,
    mask: Float32Array,
    { metric, source }: { metric: MetricKey; source: SourceKind },
  ): Promise<{ value: Float64Array; gradient: Float64Array; asked: (keep: Float32Array) => Promise<Float64Array> }> => {
    const asked = {
      metric,
      direction: 'noising' as const,
      source: await makeSource(engine, source, { batches: [], side: 'corrupt' }),
    };
    const { batches } = planBatches(engine, EXAMPLES);
    const tensor = runtime.tensor(mask, [mask.length]);
    const { value, gradient } = await withMaskedModel(engine, batches, asked, ([batch]) => batch!.run(tensor));
    return {
      value,
      gradient: Float64Array.from(await gradient.read()),
      asked: (keep) =>
        withSession(engine, batches[0]!, asked, async ({ ask }) => (await ask([{ kind: 'circuit', keep }]))[0]!),
    };
  };
  const mean = (values: Float64Array): number => values.reduce((sum, x) => sum + x, 0) / values.length;

  const forms: readonly [string, Partial<ModelConfig>, MetricKey, SourceKind][] = [
    ['gpt2', {}, 'logit-difference', 'other-prompt'],
    ['parallel blocks', { parallelBlocks: true }, 'kl-divergence', 'other-prompt'],
    ['attention only, zeros', { dMlp: 0 }, 'logit-difference', 'zero'],
    [
      'llama-like',
      {
        ...{ norm: 'RMS', gatedMlp: true, activation: 'silu', nKeyValueHeads: 1, positional: 'rotary' },
        rotary: { base: 100, dims: 4, adjacentPairs: false },
      },
      'logit-difference',
      'other-prompt',
    ],
  ];
  const normed = [
    'norms behind attention and MLP',
    SHAPES[NORMED_WRITES]!,
    'logit-difference',
    'other-prompt',
  ] as const;
  for (const [name, config, metric, source] of [...forms, normed])
    it(`${name}: answers as the engine does for masks between 0 and 1, and its gradient is that of the engine's answers`, async () => {
      await withEngine({ model: randomModel(config, 3), runtime }, async (engine) => {
        const mask = mixed(engine.universe.edgeCount);
        const { value, gradient, asked } = await measure(engine, mask, { metric, source });
        expectNear(value, await asked(mask), 1e-9, 'metric');
        const differences: number[] = [];
        const edges = [...mask.keys()].filter((edge) => edge % 7 === 0);
        for (const edge of edges) {
          const [up, down] = [Float32Array.from(mask), Float32Array.from(mask)];
          up[edge]! += 2 ** -9;
          down[edge]! -= 2 ** -9;
          differences.push((mean(await asked(up)) - mean(await asked(down))) / (up[edge]! - down[edge]!));
        }
        const own = edges.map((edge) => gradient[edge]!);
        expectNear(own, differences, 1e-4, 'gradient');
      });
    });

  it('with every mask open its gradient is EAP', async () => {
    await withEngine({ model: randomModel({}, 5), runtime }, async (engine) => {
      const open = new Float32Array(engine.universe.edgeCount).fill(1);
      const { gradient } = await measure(engine, open, { metric: 'logit-difference', source: 'other-prompt' });
      const { scores } = await eap.run(contextOf(engine, EXAMPLES, {}));
      expectNear(gradient, scores.mean, 1e-6, 'EAP');
    });
  });

  it('is refused before anything is computed where it would not fit, saying how much it needs', async () => {
    const options = { memoryBytes: 1000 };
    await withEngine({ model: randomModel({}, 5), runtime, options }, async (engine) => {
      const error = await edgePruning.run(contextOf(engine, EXAMPLES, { edges: 5 })).catch((caught: unknown) => caught);
      expect(error).to.be.instanceOf(TheveninError).with.property('code', 'discovery/memory');
      expect(engine.counters.kernelRuns).to.equal(0);
      expect(wholeModelBytes(engine, planBatches(engine, EXAMPLES).batches)).to.be.above(options.memoryBytes);
    });
  });
});

describe('learned masks on models whose circuit is known', () => {
  interface Known {
    readonly edges: string[];
    readonly task: {
      readonly pairs: readonly Record<'clean' | 'corrupt' | 'clean_output' | 'corrupt_output' | 'differ', number[]>[];
    };
  }
  const { edges, task } = JSON.parse(readFileSync(golden('ground-truth', 'or-gate', 'circuit.json'), 'utf8')) as Known;
  const examples = batchOf(
    task.pairs.map(({ clean, corrupt, clean_output, corrupt_output, differ }) => ({
      ...{ clean, corrupt },
      answers: differ.map((at) => contrast(at, clean_output[at]!, corrupt_output[at]!)),
    })),
  ).examples;
  const onOrGate = async <T>(work: (engine: Engine) => Promise<T>): Promise<T> => {
    const [model, runtime] = [await loadModel(golden('ground-truth', 'or-gate')), await createRuntime('auto')];
    try {
      return await withEngine({ model, runtime }, work);
    } finally {
      await runtime.dispose();
      await model.dispose();
    }
  };

  it('edge pruning finds an arm of the OR gate, which is enough, and nothing else', async function () {
    this.timeout(30_000);
    await onOrGate(async (engine) => {
      const { universe } = engine;
      const { found } = await edgePruning.run(contextOf(engine, examples, { edges: 3, updates: 200, holds: 'metric' }));
      const names = [...found!.edges.keys()]
        .filter((edge) => found!.edges[edge])
        .map((edge) => universe.edgeName(edge));
      expect(names).to.have.lengthOf(3).and.include('m0->logits');
      expect(edges).to.include.members(names);
      expect(countIn(prune(universe, found!.edges)), 'no dead end').to.equal(3);
    });
  });

  it('subnetwork probing keeps the MLP and an arm of the OR gate open and closes every other node', async function () {
    this.timeout(30_000);
    await onOrGate(async (engine) => {
      const { universe } = engine;
      const { scores } = await subnetworkProbing.run(
        contextOf(engine, examples, { lambda: 0.5, updates: 200, holds: 'metric' }),
      );
      const open = (name: string): number => scores.mean[universe.edgeIndex(`${name}->logits`)!]!;
      expect(open('m0')).to.be.above(0.9);
      expect(Math.max(open('a0.h0'), open('a0.h1'))).to.be.above(0.9);
      for (const name of ['a0.h2', 'a1.h0', 'a1.h1', 'a1.h2', 'm1']) expect(open(name), name).to.be.below(0.1);
    });
  });
});

describe('edge pruning on the bundled IOI model', () => {
  const root = new URL('../../../', import.meta.url);
  const folder = fileURLToPath(new URL('models/ioi', root));
  const read = (file: string): string => readFileSync(new URL(`reports/edge-pruning-ioi/${file}`, root), 'utf8');
  const reported = JSON.parse(read('comparison.json')) as ComparisonReport;

  it("is at least as faithful as EAP-IG's circuit of the same size on pairs that no setting was chosen by, whatever the seed", async function () {
    skipWithout(this, existsSync(folder) ? folder : null, 'models/ioi is absent');
    this.timeout(240_000);
    await withWorkbench({ model: folder, runtime: 'auto' }, async (bench) => {
      const rivals = await openRivals(bench);
      const found = [];
      for (const seed of [0, 1]) {
        const row = await rivals.compare({ edges: 20, holds: 'metric', seed });
        expect(row.size.edgePruning).to.be.within(15, 20).and.at.most(row.size.eapIg);
        expect(row.gain.value, `seed ${seed}`).to.be.at.least(0);
        found.push(row.circuit);
      }
      const jaccard = jaccardOf(bench.engine.universe, found);
      this.test!.title += ` (Jaccard ${jaccard.toFixed(2)})`;
      expect(jaccard).to.be.within(0.4, 1);
    });
  });

  it('has a report whose page is that of its figures, and whose circuits have the faithfulness that it says', async function () {
    skipWithout(this, existsSync(folder) ? folder : null, 'models/ioi is absent');
    this.timeout(60_000);
    expect(read('README.md')).to.equal(describeComparisons(reported));
    await withWorkbench({ model: folder, runtime: 'auto' }, async (bench) => {
      const { universe } = bench.engine;
      const { task } = await openTask(bench.model, {
        task: 'ioi',
        examples: 160,
        seed: 0,
        bos: undefined,
        split: true,
      });
      const fresh = await freshPairs(bench, task.examples);
      expect(fresh).to.have.lengthOf(reported.fresh.count);
      const keys = ({ clean, corrupt }: Example): string => `${clean.join(' ')}|${corrupt.join(' ')}`;
      const known = new Set(task.examples.map(keys));
      expect(fresh.filter((pair) => known.has(keys(pair)))).to.deep.equal([]);
      const circuits = reported.rows.map(({ circuit }) => maskOf(universe, circuit));
      const measured = await measureCircuits(bench.engine, fresh, circuits, { metric: task.metric });
      reported.rows.forEach((row, i) => {
        const f = faithfulness({ ...measured, circuit: measured.circuits[i]! });
        expect(f, `${row.edges} ${row.holds} ${row.seed}`).to.be.closeTo(row.faithfulness.edgePruning.value, 1e-3);
      });
      for (const { edges, holds, jaccard } of reported.seeds) {
        const own = reported.rows.filter((row) => row.edges === edges && row.holds === holds);
        expect(jaccardOf(universe, own.map(({ circuit }) => circuit))).to.be.closeTo(jaccard, 1e-5); // prettier-ignore
      }
    });
  });
});
