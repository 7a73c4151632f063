/** The recursive search for the strongest hops, against path patching of every path it could have taken. */
import { expect } from 'chai';
import { runGrids } from '../../src/interventions/patching/patching.js';
import { searchHops, type Hop } from '../../src/interventions/patching/hops.js';
import { planPath } from '../../src/interventions/patching/paths.js';
import { createRuntime, type Runtime } from '../../src/runtime/index.js';
import { batchOf, contrast, withEngine } from '../helpers/engine.js';
import { refused } from '../helpers/model-files.js';
import { randomModel } from '../helpers/models/random-model.js';

describe('the strongest hops upstream of a receiver', () => {
  const model = randomModel({ nLayers: 2 }, 31);
  const { examples } = batchOf([
    { clean: [1, 2, 3, 4], corrupt: [1, 5, 3, 4], answers: [contrast(3, 1, 2)] },
    { clean: [2, 2, 6, 7], corrupt: [3, 2, 0, 7], answers: [contrast(3, 1, 2)] },
  ]);
  const asked = { metric: 'logit-difference', direction: 'noising', mlps: 'kept', width: 2, depth: 2 } as const;
  let runtime: Runtime;
  before(async () => (runtime = await createRuntime('reference', { threads: 1 })));
  after(() => runtime.dispose());
  const search = (to: string) =>
    withEngine({ model, runtime }, (engine) => searchHops(engine, examples, { ...asked, to }));

  /** Mean effects of paths from every sender, strongest first. */
  const effectsOf = (...paths: string[]) =>
    withEngine({ model, runtime }, async (engine) => {
      const grouping = { mlps: 'kept', senders: 'each', receivers: 'together' } as const;
      const grids = paths.map((path) => planPath(engine.universe, examples, { path: `* -> ${path}`, ...grouping }));
      const { clean, grids: found } = await runGrids(engine, examples, { ...asked, grids });
      const base = (clean[0]! + clean[1]!) / 2;
      return found
        .flatMap(({ mean, plan }, g) =>
          plan.axes[0]!.labels.map((sender, i) => ({ path: `${sender} -> ${paths[g]!}`, mean: mean[i]! - base })),
        )
        .sort((a, b) => Math.abs(b.mean) - Math.abs(a.mean));
    });

  const same = (hops: readonly Hop[], expected: readonly { path: string; mean: number }[]): void => {
    expect(hops.map(({ path }) => path)).to.deep.equal(expected.map(({ path }) => path));
    hops.forEach(({ mean }, i) => expect(mean).to.be.closeTo(expected[i]!.mean, 1e-12));
  };

  it('are the strongest of all senders, and of all paths through each sender that is followed', async () => {
    const { hops } = await search('logits');
    same(hops, (await effectsOf('logits')).slice(0, 2));
    for (const { sender, upstream } of hops) {
      const readers = sender.startsWith('a') ? ['q', 'k', 'v'].map((role) => `${sender}<${role}>`) : [sender];
      const into = sender === 'input' ? [] : await effectsOf(...readers.map((reader) => `${reader} -> logits`));
      same(upstream, into.slice(0, 2));
      for (const hop of upstream) expect(hop.upstream, 'no deeper than asked').to.deep.equal([]);
    }
    expect(hops.some(({ upstream }) => upstream.length > 0)).to.equal(true);
  });

  it('can lead to any receivers', async () =>
    same((await search('a1.*<v>')).hops, (await effectsOf('a1.*<v>')).slice(0, 2)));

  it('refuses what is no receiver', async () => {
    await refused(search('a7.h0<q>'), 'interventions/path', '"a7.h0<q>" names no receivers');
    await refused(search('a1.h0'), 'interventions/path', 'a1.h0');
  });
});
