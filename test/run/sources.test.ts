/** What cut edges read, chosen for a whole run; and what is refused before anything is computed. */
import { expect } from 'chai';
import { discover } from '../../src/run/discover.js';
import { SOURCE_KINDS } from '../../src/engine/questions.js';
import type { DiscoverRequest } from '../../src/run/request.js';
import { refused } from '../helpers/model-files.js';

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
  for (const source of SOURCE_KINDS)
    it(`${source}: the report says so; all edges are as faithful as the model, none are not at all`, async () => {
      const all = await run({ source });
      expect(all.settings.ablation).to.equal(source);
      expect(all.circuit.edgeCount).to.equal(81);
      expect(all.evaluation.faithfulness).to.be.closeTo(1, 1e-4);
      const none = await run({ source, edges: 0 });
      expect(none.evaluation.faithfulness).to.be.closeTo(0, 1e-4);
    });

  it('the source changes the floor, the scores and the exact effects', async () => {
    const [other, zero] = [await run({}), await run({ source: 'zero' })];
    expect(other.evaluation.corrupt.mean).to.be.closeTo(other.capability.corrupt.mean, 1e-4);
    expect(zero.evaluation.corrupt.mean).not.to.be.closeTo(zero.capability.corrupt.mean, 0.1);
    const effect = (record: typeof other) => record.topEdges.find(({ exact }) => exact !== null)!;
    expect(effect(other).exact).not.to.be.closeTo(effect(zero).exact!, 1e-3);
  });
});

describe('refused before anything is computed', () => {
  const watched = (request: Partial<DiscoverRequest>) => {
    const stages: string[] = [];
    const listener = { onProgress: ({ stage }: { stage: string }) => void stages.push(stage) };
    return { stages, done: discover({ ...INDUCTION, ...request }, listener) };
  };

  it('a rule with fewer points than it is defined for', async () => {
    for (const method of ['eap-ig', 'eap-ig-activations']) {
      const { stages, done } = watched({ method, rule: 'trapezoid', steps: 1 });
      await refused(done, 'discovery/steps', 'trapezoid', 'at least 2');
      expect(stages).to.deep.equal([]);
    }
  });
});
