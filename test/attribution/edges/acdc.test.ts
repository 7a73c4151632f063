/** ACDC: decisions of the naive loop whatever the metric, and the circuits that are known. */
import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { makeUniverse } from '../../../src/circuit/universe.js';
import { auroc } from '../../../src/circuit/compare.js';
import { countIn } from '../../../src/circuit/prune.js';
import type { Universe } from '../../../src/circuit/types.js';
import { edgeOrder, type AcdcOrder } from '../../../src/attribution/edges/acdc/order.js';
import { search, type AcdcRule } from '../../../src/attribution/edges/acdc/search.js';
import { acdc } from '../../../src/attribution/edges/methods/measured/acdc.js';
import type { EdgeOptions } from '../../../src/attribution/edges/index.js';
import type { Attribution } from '../../../src/attribution/edges/types.js';
import type { Engine } from '../../../src/engine/core/engine.js';
import { withSession } from '../../../src/engine/questions/session.js';
import type { SourceKind } from '../../../src/engine/sources/kinds.js';
import { makeSource } from '../../../src/engine/sources/index.js';
import { loadModel } from '../../../src/model/load.js';
import type { Model } from '../../../src/model/types.js';
import { createRuntime } from '../../../src/runtime/index.js';
import type { Runtime } from '../../../src/runtime/types.js';
import type { Example } from '../../../src/task/types.js';
import { everyOption } from '../../helpers/options.js';
import { batchOf, contrast, withEngine } from '../../helpers/engine.js';
import { golden } from '../../helpers/model-files.js';
import { randomModel } from '../../helpers/models/random-model.js';

const names = (universe: Universe, edges: Uint8Array): string[] =>
  [...edges.keys()].filter((edge) => edges[edge] === 1).map((edge) => universe.edgeName(edge));

/** The naive loop, as the paper states it: one edge, one pass. */
async function naive(
  universe: Universe,
  { tau, order, test }: AcdcRule,
  measure: (keep: Uint8Array) => Promise<number>,
): Promise<{ keep: Uint8Array; tried: number }> {
  const keep = new Uint8Array(universe.edgeCount).fill(1);
  let value = await measure(keep);
  let tried = 0;
  for (const edge of edgeOrder(universe, order)) {
    const without = Uint8Array.from(keep);
    without[edge] = 0;
    if (!reaches(universe, keep, edge)) {
      keep[edge] = 0;
      continue;
    }
    tried++;
    const after = await measure(without);
    const loss = test === 'signed' ? value - after : Math.abs(value - after);
    if (loss < tau) {
      keep[edge] = 0;
      value = after;
    }
  }
  return { keep, tried };
}

/** Whether the edge's reader has a path of kept edges to the logits, found by walking. */
function reaches(universe: Universe, keep: Uint8Array, edge: number): boolean {
  const { name } = universe.readers[universe.edgeReader[edge]!]!;
  if (name === 'logits') return true;
  const node = universe.senderIndex(name.replace(/<.>$/, ''))!;
  return [...keep.keys()].some(
    (next) => keep[next] === 1 && universe.edgeSender[next] === node && reaches(universe, keep, next),
  );
}

const SHAPE = { nLayers: 2, nHeads: 2, hasMlp: true, parallelBlocks: false };

describe('the order of ACDC', () => {
  const universe = makeUniverse({ ...SHAPE, nLayers: 1 });
  const visited = (order: AcdcOrder): string[] =>
    Array.from(edgeOrder(universe, order), (edge) => universe.edgeName(edge));

  it('goes from the logits down; reverse: the latest sender first', () => {
    expect(visited('reverse').slice(0, 8)).to.deep.equal([
      ...['m0->logits', 'a0.h1->logits', 'a0.h0->logits', 'input->logits'],
      ...['a0.h1->m0', 'a0.h0->m0', 'input->m0', 'input->a0.h1<v>'],
    ]);
  });

  it('normal: the earliest first, still from the logits down', () => {
    expect(visited('normal').slice(0, 5)).to.deep.equal([
      ...['input->logits', 'a0.h0->logits', 'a0.h1->logits', 'm0->logits', 'input->m0'],
    ]);
    expect(visited('normal').slice(7)).to.deep.equal(visited('reverse').slice(7).reverse());
  });

  it('random: by its seed, every edge once, never before what is downstream', () => {
    expect(visited('random:1')).to.deep.equal(visited('random:1')).and.not.deep.equal(visited('random:2'));
    expect([...visited('random:1')].sort()).to.deep.equal([...visited('reverse')].sort());
    const at = (name: string): number => visited('random:1').findIndex((edge) => edge.endsWith(`->${name}`));
    expect(at('logits')).to.be.below(at('m0')).and.below(at('a0.h1<k>'));
    expect(at('m0')).to.be.below(at('a0.h0<q>'));
  });
});

describe('the fast path of ACDC', () => {
  it('decides as the naive loop does, whatever the metric, in no more passes', async () => {
    for (let seed = 0; seed < 60; seed++) {
      const universe = makeUniverse({ ...SHAPE, parallelBlocks: seed % 2 === 1, hasMlp: seed % 5 > 0 });
      const measure = rugged(seed);
      const rule: AcdcRule = {
        tau: [0, 0.2, 0.5, 2][seed % 4]!,
        order: (['reverse', 'normal', `random:${seed}`] as const)[seed % 3]!,
        test: seed % 7 < 3 ? 'absolute' : 'signed',
      };
      const slow = await naive(universe, rule, async (keep) => measure(keep));
      const fast = await search(universe, rule, { measure: async (circuits) => circuits.map(measure) });
      expect([...fast.keep], `seed ${seed}`).to.deep.equal([...slow.keep]);
      expect(fast.tried).to.equal(slow.tried);
      expect(fast.passes).to.be.at.most(slow.tried);
    }
  });

  it('needs few passes where most edges go', async () => {
    const universe = makeUniverse(SHAPE);
    const kept = universe.edgeIndex('input->logits')!;
    const fast = await search(
      universe,
      { tau: 0.5, order: 'reverse', test: 'signed' },
      { measure: async (circuits) => circuits.map((keep) => keep[kept]!) },
    );
    expect(names(universe, fast.keep)).to.deep.equal(['input->logits']);
    expect(fast).to.include({ tried: universe.senders.length, value: 1 }); // nothing else is heard
    expect(fast.passes).to.be.at.most(4);
    expect(fast.effects[kept]).to.equal(1);
  });
});

/** A metric of edge sets without any order in it: random weights, and pairs of edges that matter together. */
function rugged(seed: number): (keep: Uint8Array) => number {
  const noise = (i: number): number => {
    const x = Math.sin(seed * 131.7 + i * 12.9898) * 43758.5453;
    return x - Math.floor(x) - 0.4;
  };
  return (keep) => {
    let sum = 0;
    keep.forEach((kept, edge) => {
      if (kept === 0) return;
      sum += noise(edge) ** 3 * 8;
      const other = (edge * 7 + seed) % keep.length;
      if (keep[other] === 1) sum += noise(edge + 1000);
    });
    return sum;
  };
}

describe('ACDC on models', () => {
  let runtime: Runtime;
  before(async () => (runtime = await createRuntime('reference', { threads: 1 })));
  after(() => runtime.dispose());

  const discover = async (
    engine: Engine,
    examples: readonly Example[],
    { source, ...setting }: EdgeOptions & { source?: SourceKind },
  ): Promise<Attribution> =>
    acdc.run({
      engine,
      examples,
      metric: 'logit-difference',
      options: everyOption({ holds: 'metric', ...setting }),
      ...(source ? { source: await makeSource(engine, source, { batches: [], side: 'corrupt' }) } : {}),
      signal: new AbortController().signal,
      onProgress: () => undefined,
    });

  it('decides bit for bit as the naive loop on random models, in no more passes', async function () {
    this.timeout(120_000);
    const sizes: number[] = [];
    for (let seed = 0; seed < 50; seed++) {
      const model = randomModel(
        { nLayers: 1 + (seed % 2), parallelBlocks: seed % 3 === 2, norm: seed % 4 === 0 ? null : 'LN' },
        seed,
      );
      const pair = (a: number, b: number) => ({ clean: [a, 2, b], corrupt: [b, 2, a], answers: [contrast(2, a, b)] });
      const { examples } = batchOf([pair(seed % 5, 5), pair(6, seed % 4)]);
      const holds = seed % 2 === 0 ? 'metric' : 'kl';
      const rule: AcdcRule = {
        tau: [0.05, 0.003, 0.01, 0.2][seed % 4]!,
        order: seed % 2 === 0 ? 'reverse' : `random:${seed}`,
        test: seed % 3 === 0 ? 'absolute' : 'signed',
      };
      await withEngine({ model, runtime }, async (engine) => {
        const { found } = await discover(engine, examples, { ...rule, holds });
        const spent = engine.counters.layerTokens;
        const metric = holds === 'kl' ? 'kl-divergence' : 'logit-difference';
        const slow = await withSession(engine, { length: 3, examples }, { metric, direction: 'noising' }, ({ ask }) =>
          naive(engine.universe, rule, async (keep) => {
            const [values] = await ask([{ kind: 'circuit', keep }]);
            return values!.reduce((sum, value) => sum + value, 0) / examples.length;
          }),
        );
        expect([...found!.edges], `seed ${seed}`).to.deep.equal([...slow.keep]);
        // a pass is every token through every layer; the loop needs both prompts, the whole model, and one for each edge it tries
        const pass = examples.length * 3;
        expect(spent, `tokens, seed ${seed}`).to.be.at.most((3 + slow.tried) * pass);
        sizes.push(countIn(slow.keep));
      });
    }
    expect(new Set(sizes).size, 'circuits of many sizes').to.be.above(5);
  });

  describe('whose circuit is known', () => {
    interface Known {
      readonly edge_sets: Readonly<Record<string, string[]>>;
      readonly expected?: Readonly<Record<string, { edges: string[] }>>;
      readonly task: {
        readonly pairs: readonly {
          readonly clean: number[];
          readonly corrupt: number[];
          readonly clean_output: number[];
          readonly corrupt_output: number[];
          readonly differ: number[];
        }[];
      };
    }
    const known = (name: string): Known =>
      JSON.parse(readFileSync(golden('ground-truth', name, 'circuit.json'), 'utf8')) as Known;
    /** The clean output against the corrupt one, wherever they differ. */
    const pairsOf = ({ task }: Known): readonly Example[] =>
      batchOf(
        task.pairs.map(({ clean, corrupt, clean_output, corrupt_output, differ }) => ({
          clean,
          corrupt,
          answers: differ.map((at) => contrast(at, clean_output[at]!, corrupt_output[at]!)),
        })),
      ).examples;
    const find = async (name: string, setting: EdgeOptions & { source?: SourceKind }): Promise<string[]> => {
      const model: Model = await loadModel(golden('ground-truth', name));
      try {
        return await withEngine({ model, runtime }, async (engine) => {
          const { found } = await discover(engine, pairsOf(known(name)), setting);
          return names(engine.universe, found!.edges).sort();
        });
      } finally {
        await model.dispose();
      }
    };
    /** As {@link find}, against the edges that are known to matter. */
    const areas = async (name: string, setting: EdgeOptions & { source?: SourceKind }, truth: string) => {
      const model: Model = await loadModel(golden('ground-truth', name));
      try {
        return await withEngine({ model, runtime }, async (engine) => {
          const { found, scores } = await discover(engine, pairsOf(known(name)), setting);
          const reference = new Uint8Array(engine.universe.edgeCount);
          for (const edge of known(name).edge_sets[truth]!) reference[engine.universe.edgeIndex(edge)!] = 1;
          return { found: auroc(found!.edges, reference), scores: auroc(scores.mean, reference) };
        });
      } finally {
        await model.dispose();
      }
    };
    const sorted = (edges: readonly string[]): string[] => [...edges].sort();

    for (const order of ['reverse', 'normal', 'random:3'] as const) {
      it(`tracr reverse: the 10 edges with zero ablation, order ${order}`, async () => {
        const found = await find('reverse', { tau: 0.1, order, source: 'zero-with-positions' });
        expect(found)
          .to.deep.equal(sorted(known('reverse').edge_sets['zero_minimal']!))
          .and.have.lengthOf(10);
      });

      it(`tracr reverse: AUROC 1 with zero ablation and with resampling, order ${order}`, async () => {
        const whole = { found: 1, scores: 1 };
        const zero = { tau: 0.1, order, source: 'zero-with-positions' } as const;
        expect(await areas('reverse', zero, 'zero_minimal')).to.deep.equal(whole);
        expect(await areas('reverse', { tau: 0.1, order }, 'resample_minimal')).to.deep.equal(whole);
      });

      it(`tracr reverse: the 2 edges that resampling can see, order ${order}`, async () => {
        const found = await find('reverse', { tau: 0.1, order });
        expect(found)
          .to.deep.equal(sorted(known('reverse').edge_sets['resample_minimal']!))
          .and.have.lengthOf(2);
      });
    }

    it('tracr reverse: with positions left in the stream, the edge that reads them alone goes', async () => {
      const zero = await find('reverse', { tau: 0.1, source: 'zero' });
      const expected = known('reverse').edge_sets['zero_minimal']!.filter((edge) => edge !== 'input->a3.h0<k>');
      expect(zero).to.deep.equal(sorted(expected));
    });

    it('an OR gate: the head that is tried last, so the order decides', async () => {
      const { expected } = known('or-gate');
      for (const [order, name] of Object.entries({ reverse: 'latest', normal: 'earliest' } as const)) {
        const found = await find('or-gate', { tau: 0.1, order: order as AcdcOrder });
        expect(found, order).to.deep.equal(sorted(expected![`greedy_prune_senders_${name}_first`]!.edges));
      }
    });
  });
});
