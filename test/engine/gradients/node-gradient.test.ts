/** Derivatives at sites against differences of patched runs, integrals against the interventions that they add up to. */
import { createRequire } from 'node:module';
import { expect } from 'chai';
import { Engine } from '../../../src/engine/core/engine.js';
import { edgeGradients, type Point } from '../../../src/engine/gradients/gradient.js';
import { nodeBytesPerToken, nodeGradients, type Along } from '../../../src/engine/gradients/node-gradient.js';
import type { NodeSite } from '../../../src/engine/gradients/node-lines.js';
import type { Site } from '../../../src/engine/questions/questions.js';
import { riemannPoints } from '../../../src/engine/gradients/riemann.js';
import { withSession, type Session } from '../../../src/engine/questions/session.js';
import { nodeScores } from '../../../src/attribution/edges/node-scores.js';
import type { Runtime } from '../../../src/runtime/types.js';
import { batchOf, contrast, expectNear, largest } from '../../helpers/engine.js';
import { NORMED_WRITES, SHAPES } from '../../helpers/models/hand-made.js';
import { BATCH, MICRO } from '../../helpers/models/micro.js';
import { createRuntime } from '../../../src/runtime/index.js';
import { randomModel } from '../../helpers/models/random-model.js';
import { onEveryRuntime } from '../../runtime/available.js';
import { pairAt, sceneOf, type Scene } from '../scene.js';

const CLEAN: readonly Point[] = [{ at: 1, weight: 1 }];
const METRIC = 'logit-difference';
const HEAD_SITES: readonly NodeSite[] = ['q', 'k', 'v', 'z'];

const sitesOf = ({ model: { config } }: Pick<Scene, 'model'>): NodeSite[] => [
  ...(['resid-pre', ...HEAD_SITES, 'attention-out', 'resid-post'] as const),
  ...(config.parallelBlocks ? [] : (['resid-mid'] as const)),
  ...(config.dMlp > 0 ? (['neurons', 'mlp-out'] as const) : []),
];

/** Node `n` of a site at a position. */
const siteOf = (kind: NodeSite, layer: number, { node, position }: { node: number; position?: number }): Site => ({
  ...{ kind, layer },
  ...(HEAD_SITES.includes(kind) ? { heads: [node] } : kind === 'neurons' ? { neurons: [node] } : {}),
  ...(position === undefined ? {} : { positions: [position] }),
});

interface Scored {
  readonly nodes: number;
  /** [example][node][position] */
  readonly at: (example: number, node: number, position: number) => number;
  /** over nodes and positions [example] */
  readonly sums: number[];
}

/** Every site of every layer, `site layer` → its scores. */
async function scoresOf(
  { bound }: Session,
  of: { sites: readonly NodeSite[]; points: readonly Point[]; along: Along },
): Promise<Map<string, Scored>> {
  const layers = Array.from({ length: bound.engine.model.config.nLayers }, (_, layer) => layer);
  const { length, examples } = bound.batch;
  const found = new Map<string, Scored>();
  await nodeGradients(bound, { ...of, layers }, ({ site, layer, scores, nodes, start }) => {
    const count = length - start;
    const at = (example: number, node: number, position: number): number =>
      position < start ? 0 : scores[(example * nodes + node) * count + position - start]!;
    const size = nodes * count;
    const sums = examples.map((_, e) =>
      Array.from(scores.subarray(e * size, (e + 1) * size)).reduce((sum, x) => sum + x, 0),
    );
    found.set(`${site} ${layer}`, { nodes, at, sums });
  });
  expect(found.size).to.equal(of.sites.length * layers.length);
  return found;
}

const layersOf = ({ model }: Pick<Scene, 'model'>): number[] =>
  Array.from({ length: model.config.nLayers }, (_, l) => l);

for (const shape of Object.keys(SHAPES))
  describe(`${shape}: gradients at sites`, () => {
    let [runtime, engine, scene] = [null, null, null] as unknown as [Runtime, Engine, Scene];
    before(async () => {
      runtime = await createRuntime('reference', { threads: 1 });
      scene = await sceneOf(shape);
      engine = new Engine(scene.model, runtime);
    });
    after(async () => {
      await engine.dispose();
      await runtime.dispose();
    });
    const within = <T>(work: (session: Session) => Promise<T>): Promise<T> =>
      withSession(engine, scene.batch, { metric: METRIC, direction: 'noising' }, work);

    /** d metric / d amount where a site has gone from what it says (all nodes at `from`) towards its alternative. */
    async function slopes(session: Session, site: NodeSite, { layer, from }: { layer: number; from: number }) {
      const h = 2 ** -12;
      const nodes = site === 'neurons' ? scene.model.config.dMlp : HEAD_SITES.includes(site) ? scene.model.config.nHeads : 1; // prettier-ignore
      const places = [2, 3, 5].flatMap((position) => Array.from({ length: nodes }, (_, node) => ({ node, position })));
      const all: Site[] = from === 0 ? [] : [{ kind: site, layer, amount: from }];
      const ask = places.flatMap((place) =>
        [h, -h].map((step) => ({
          kind: 'sites' as const,
          sites: [...all, { ...siteOf(site, layer, place), amount: from + step }],
        })),
      );
      const answers = await session.ask(ask);
      return places.map((place, i) => ({
        ...place,
        values: [...answers[2 * i]!].map((up, e) => (up - answers[2 * i + 1]![e]!) / (2 * h)),
      }));
    }

    it('at the clean prompts: the slope of the metric as one node at one position moves to its alternative', () =>
      within(async (session) => {
        const sites = sitesOf(scene);
        const scores = await scoresOf(session, { sites, points: CLEAN, along: 'embedding' });
        for (const site of sites)
          for (const layer of layersOf(scene)) {
            const { at } = scores.get(`${site} ${layer}`)!;
            const slope = await slopes(session, site, { layer, from: 0 });
            const found = slope.flatMap(({ node, position, values }) => values.map((_, e) => at(e, node, position)));
            expectNear(found, slope.flatMap(({ values }) => values), 1e-5, `${site} ${layer}`); // prettier-ignore
          }
      }));

    it('the clean end of either line is the same point', () =>
      within(async (session) => {
        const sites = sitesOf(scene);
        const [embedding, own] = [
          await scoresOf(session, { sites, points: CLEAN, along: 'embedding' }),
          await scoresOf(session, { sites, points: CLEAN, along: 'site' }),
        ];
        for (const [key, { sums }] of embedding) expectNear(own.get(key)!.sums, sums, 1e-11, key);
      }));

    it('on the way of the site’s own line: the slope there, all of the site moved', () =>
      within(async (session) => {
        const sites = sitesOf(scene);
        const scores = await scoresOf(session, { sites, points: [{ at: 0.25, weight: 2 }], along: 'site' });
        const layer = scene.model.config.nLayers - 1;
        for (const site of sites) {
          const { at } = scores.get(`${site} ${layer}`)!;
          const slope = await slopes(session, site, { layer, from: 0.75 });
          const found = slope.flatMap(({ node, position, values }) => values.map((_, e) => at(e, node, position)));
          const expected = slope.flatMap(({ values }) => values.map((x) => 2 * x));
          expectNear(found, expected, 1e-5, site);
        }
      }));

    it('integrated along its own line, a site of a layer adds up to what replacing all of it changes', () =>
      within(async (session) => {
        const sites = sitesOf(scene);
        const layers = layersOf(scene);
        const gap = async (steps: number): Promise<number> => {
          const points = riemannPoints('gauss-legendre', steps);
          const scores = await scoresOf(session, { sites, points, along: 'site' });
          const worst: number[] = [];
          for (const site of sites) {
            const answers = await session.ask(
              layers.map((layer) => ({ kind: 'sites', sites: [{ kind: site, layer }] })),
            );
            for (const layer of layers)
              scores.get(`${site} ${layer}`)!.sums.forEach((sum, e) => worst.push(sum - (answers[layer]![e]! - session.base[e]!))); // prettier-ignore
          }
          return largest(worst);
        };
        const [few, more] = [await gap(3), await gap(64)];
        expect(more)
          .to.be.below(1e-8)
          .and.below(few / 1e4);
      }));

    it('a cut through the whole stream adds up to the difference of the two prompts', () =>
      within(async (session) => {
        const sites: NodeSite[] = ['resid-pre', 'resid-post'];
        const scores = await scoresOf(session, { sites, points: riemannPoints('gauss-legendre', 64), along: 'site' });
        const whole = [...session.corrupt].map((x, e) => x - session.clean[e]!);
        for (const [key, { sums }] of scores) expectNear(sums, whole, 1e-8, key);
      }));

    // an edge's score takes the norm's derivative at the base point, a node's at every point: there they are one
    for (const points of shape === NORMED_WRITES ? [CLEAN] : [CLEAN, riemannPoints('midpoint', 3)])
      it(`along the embedding, ${points.length} points: what the scores of a node’s edges add up to`, () =>
        within(async (session) => {
          const { universe } = engine;
          const edges = await edgeGradients(session.bound, points, session.prompts);
          const scores = await scoresOf(session, { sites: sitesOf(scene), points, along: 'embedding' });
          scene.batch.examples.forEach((_, e) => {
            const own = edges.subarray(e * universe.edgeCount, (e + 1) * universe.edgeCount);
            const expected = nodeScores(universe, own);
            const found = universe.senders.map(({ kind, layer, head }) => {
              const site = kind === 'input' ? 'resid-pre 0' : kind === 'mlp' ? `mlp-out ${layer}` : `z ${layer}`;
              const { at } = scores.get(site)!;
              return [0, 1, 2, 3, 4, 5].reduce((sum, position) => sum + at(e, Math.max(0, head), position), 0);
            });
            expectNear(found, expected, 1e-11);
          });
        }));

    it('parts add up: heads to attention’s output; neurons to the MLP’s', () =>
      within(async (session) => {
        const points = riemannPoints('midpoint', 3);
        const scores = await scoresOf(session, { sites: sitesOf(scene), points, along: 'embedding' });
        for (const layer of layersOf(scene)) {
          expectNear(scores.get(`z ${layer}`)!.sums, scores.get(`attention-out ${layer}`)!.sums, 1e-11);
          if (scene.model.config.dMlp > 0 && shape !== NORMED_WRITES)
            expectNear(scores.get(`neurons ${layer}`)!.sums, scores.get(`mlp-out ${layer}`)!.sums, 1e-11);
        }
      }));

    it('is 0 before the prompts’ first difference, and the same where the equal prefix is recomputed', () =>
      within(async () => {
        const late = [pairAt(4, 7), pairAt(5, 8)];
        const causal = scene.model.config.attention === 'causal';
        const options = { metric: METRIC, direction: 'noising' } as const;
        for (const along of ['embedding', 'site'] as const) {
          const of = { sites: sitesOf(scene), points: riemannPoints('midpoint', 2), along };
          const short = await withSession(engine, batchOf(late), options, (one) => scoresOf(one, of));
          const forced = await withSession(engine, batchOf([...late, pairAt(0, 9)]), options, (one) => scoresOf(one, of)); // prettier-ignore
          for (const [key, { at, nodes, sums }] of forced) {
            expectNear(short.get(key)!.sums, sums.slice(0, 2), 1e-10, `${key} ${along}`);
            for (let node = 0; causal && node < nodes; node++) expect(Math.abs(at(0, node, 3)), key).to.be.below(1e-12);
          }
        }
      }));
  });

for (const shape of Object.keys(SHAPES))
  await onEveryRuntime(
    `${shape}: gradients at sites`,
    ({ create }) => {
      it('are those of the reference runtime', async () => {
        const scene = await sceneOf(shape);
        const layers = layersOf(scene);
        const on = async (runtime: Runtime, along: Along): Promise<Map<string, number[]>> => {
          const engine = new Engine(scene.model, runtime);
          const found = new Map<string, number[]>();
          const asked = { sites: sitesOf(scene), layers, points: riemannPoints('midpoint', 3), along };
          await withSession(engine, scene.batch, { metric: METRIC, direction: 'noising' }, ({ bound }) =>
            nodeGradients(bound, asked, ({ site, layer, scores }) => found.set(`${site} ${layer}`, [...scores])),
          );
          await engine.dispose();
          return found;
        };
        const [runtime, reference] = [await create(), await createRuntime('reference', { threads: 1 })];
        for (const along of ['embedding', 'site'] as const) {
          const [found, expected] = [await on(runtime, along), await on(reference, along)];
          expect([...found.keys()]).to.deep.equal([...expected.keys()]);
          for (const [key, values] of expected) expectNear(found.get(key)!, values, 1e-4, `${key}, along ${along}`);
        }
        for (const one of [runtime, reference]) await one.dispose();
      });
    },
    (key) => key !== 'reference' && key !== 'tfjs-webgpu', // a graphics card imitated in software is slow
  );

describe('gradients at the sites of the micro model', () => {
  const DIFFERENCE = 2;
  it('are its exact effects, by every line and number of points', async () => {
    const runtime = await createRuntime('reference', { threads: 1 });
    const engine = new Engine(MICRO, runtime);
    // what is lost of output 1 − output 0 = 24 as one head's output turns: a head of layer 0 writes W[h] x, read as 5, 7 or as 1
    const HAND: Readonly<Record<string, number>> = { 'z 0 0': -18, 'z 0 1': -26, 'z 1 0': -18, 'z 1 1': -26 };
    await withSession(engine, BATCH, { metric: METRIC, direction: 'noising' }, async (session) => {
      for (const along of ['embedding', 'site'] as const)
        for (const points of [CLEAN, riemannPoints('left', 1), riemannPoints('midpoint', 3)]) {
          const scores = await scoresOf(session, { sites: ['z', 'v', 'resid-pre', 'attention-out'], points, along });
          for (const [name, change] of Object.entries(HAND)) {
            const [site, layer, head] = name.split(' ');
            const { at } = scores.get(`${site} ${layer}`)!;
            expect(at(DIFFERENCE, Number(head), 0), name).to.be.closeTo(change, 1e-9);
            expect(scores.get(`v ${layer}`)!.at(DIFFERENCE, Number(head), 0), `v ${name}`).to.be.closeTo(change, 1e-9);
          }
          expect(scores.get('attention-out 1')!.sums[DIFFERENCE]).to.be.closeTo(-44, 1e-9);
          expect(scores.get('resid-pre 0')!.sums[DIFFERENCE]).to.be.closeTo(-48, 1e-9); // all of it: 24 → −24
        }
    });
    await engine.dispose();
    await runtime.dispose();
  });
});

const tensors = (): number => {
  const tf = createRequire(import.meta.url)('@tensorflow/tfjs') as typeof import('@tensorflow/tfjs');
  return tf.memory().numTensors;
};

await onEveryRuntime(
  'neurons and gradients at sites give back what they borrow',
  ({ create }) => {
    for (const shape of Object.keys(SHAPES))
      it(shape, async () => {
        const runtime = await create();
        const scene = await sceneOf(shape);
        const engine = new Engine(scene.model, runtime);
        const held: number[] = [];
        for (let round = 0; round < 3; round++) {
          await withSession(engine, scene.batch, { metric: METRIC, direction: 'noising' }, async (session) => {
            const points = riemannPoints('midpoint', 2);
            for (const along of ['embedding', 'site'] as const)
              await scoresOf(session, { sites: sitesOf(scene), points, along });
            if (scene.model.config.dMlp > 0)
              await session.ask([
                { kind: 'sites', sites: [{ kind: 'neurons', layer: 0, neurons: [1] }] },
                { kind: 'sites', sites: [{ kind: 'q', layer: 0 }, { kind: 'neurons', layer: 0 }] }, // prettier-ignore
                { kind: 'sites', sites: [{ kind: 'z', layer: 0 }, { kind: 'neurons', layer: 1, neurons: [2, 3] }, { kind: 'mlp-out', layer: 1, amount: 0.5 }] }, // prettier-ignore
              ]);
          });
          held.push(tensors());
        }
        expect(held[2]).to.equal(held[1]); // the first round prepares kernels
        await engine.dispose();
        await runtime.dispose();
      });
  },
  (key) => key === 'tfjs-wasm', // all of tfjs counts alike
);

await onEveryRuntime(
  'gradients at sites hold what is estimated before, within a quarter',
  ({ create }) => {
    const SITES = [['z', 1], ['z', 5], ['neurons', 5], ['q', 5]] as const; // prettier-ignore
    for (const [shape, nLayers, gatedMlp, length] of [
      ['deep', 4, false, 16],
      ['wide', 2, true, 32],
    ] as const)
      // prettier-ignore
      it(shape, async () => {
        const tf = createRequire(import.meta.url)('@tensorflow/tfjs') as typeof import('@tensorflow/tfjs');
        const runtime = await create();
        const heads = { nHeads: 4, nKeyValueHeads: 4, dModel: 64, dHead: 16, dMlp: 256, nCtx: 32 };
        const model = randomModel({ ...heads, nLayers, gatedMlp, dVocab: 50, dVocabOut: 50 }, 3);
        const engine = new Engine(model, runtime);
        const ids = (seed: number): number[] => Array.from({ length }, (_, i) => (i * 7 + seed * 3) % 50);
        const pairs = Array.from({ length: 128 / length }, (_, i) => ({
          ...{ clean: ids(i), corrupt: ids(i + 1) },
          answers: [contrast(length - 1, 1, 2)],
        }));
        for (const [site, copies] of SITES) {
          const points = riemannPoints('midpoint', copies);
          const along = site === 'q' ? 'site' : 'embedding';
          const work = (): Promise<void> =>
            withSession(engine, batchOf(pairs), { metric: METRIC, direction: 'noising' }, ({ bound }) =>
              nodeGradients(bound, { sites: [site], layers: [0, 1], points, along }, () => undefined),
            );
          await work(); // prepares kernels, which hold the weights
          const before = tf.memory().numBytes;
          const { peakBytes } = await tf.profile(async () => void (await work()));
          const estimate = 128 * nodeBytesPerToken(engine, { copies, length, neurons: site === 'neurons' });
          expect(estimate / (peakBytes - before), `${site}, ${copies} points`).to.be.within(0.75, 1.25);
        }
        await engine.dispose();
        await runtime.dispose();
      });
  },
  (key) => key === 'tfjs-wasm', // it counts the bytes of every tensor
);
