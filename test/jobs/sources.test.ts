/** What cut edges read, chosen for a whole run. */
import { expect } from 'chai';
import { discover } from '../../src/jobs/discover/discover.js';
import { SOURCE_KINDS } from '../../src/engine/sources/kinds.js';
import type { DiscoverRequest } from '../../src/jobs/discover/request.js';

const INDUCTION = {
  task: 'induction',
  model: 'induction',
  runtime: 'onnx',
  edges: 81,
  examples: 12,
  split: false,
  randomCircuits: 0,
};
const run = async (request: Partial<DiscoverRequest>) =>
  (await discover({ ...INDUCTION, exactEdges: 3, ...request })).record;

describe('what cut edges read', () => {
  for (const source of SOURCE_KINDS.filter((one) => one !== 'learned'))
    it(`${source}: the report says so; all edges are as faithful as the model, none are not at all`, async () => {
      const all = await run({ source });
      expect(all.settings.ablation).to.equal(source);
      expect(all.circuit.edgeCount).to.equal(81);
      expect(all.evaluation.faithfulness).to.be.closeTo(1, 1e-4);
      const none = await run({ source, edges: 0 });
      expect(none.evaluation.faithfulness).to.be.closeTo(0, 1e-4);
    });

  it('learned: the record says what every constant loses, on the pairs it was learned on and on others', async () => {
    const { settings, evaluation } = await run({ source: 'learned', examples: 12, split: true, force: true });
    const { metric, reference, heldOut } = settings.constants!;
    expect(metric).to.equal('kl-divergence');
    for (const other of ['mean', 'zero'] as const) expect(reference.learned).to.be.at.most(reference[other] + 1e-6);
    expect(reference.learned).to.be.below(reference.mean);
    expect(heldOut.learned).to.be.above(0);
    expect(evaluation.clean.count).to.equal(3);
  });

  it('gaussian: the record says scale and seed, and both change what is found', async () => {
    const [one, two, other] = [
      await run({ source: 'gaussian', seed: 1 }),
      await run({ source: 'gaussian', seed: 1, noiseScale: 2 }),
      await run({ source: 'gaussian', seed: 2 }),
    ];
    expect(two.settings.noise).to.deep.equal({ scale: 2, seed: 1 });
    const floors = [one, two, other].map(({ evaluation }) => evaluation.corrupt.mean);
    expect(new Set(floors.map((x) => x.toFixed(4))).size).to.equal(3);
    expect(one.settings.constants).to.equal(undefined);
  });

  it('the source changes the floor, the scores and the exact effects', async () => {
    const [other, zero] = [await run({}), await run({ source: 'zero' })];
    expect(other.evaluation.corrupt.mean).to.be.closeTo(other.capability.corrupt.mean, 1e-4);
    expect(zero.evaluation.corrupt.mean).not.to.be.closeTo(zero.capability.corrupt.mean, 0.1);
    const effect = (record: typeof other) => record.topEdges.find(({ exact }) => exact !== null)!;
    expect(effect(other).exact).not.to.be.closeTo(effect(zero).exact!, 1e-3);
  });
});
