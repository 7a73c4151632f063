import { expect } from 'chai';
import { judgeCapability, measureCapability } from '../../src/evaluation/capability.js';
import { createRuntime, type Runtime } from '../../src/runtime/index.js';
import type { MetricKey } from '../../src/task/types.js';
import { batchOf, contrast, withEngine } from '../helpers/engine.js';
import { MICRO } from '../helpers/models/micro.js';

describe('evaluation/capability', () => {
  describe('of a model whose outputs are 25 and 49 on the clean prompt, and the negatives on the corrupt one', () => {
    let runtime: Runtime;
    before(async () => (runtime = await createRuntime('reference', { threads: 1 })));
    after(() => runtime.dispose());

    const measure = (correct: number, incorrect: number, copies = 3) =>
      withEngine({ model: MICRO, runtime }, (engine) => {
        const pair = { clean: [0], corrupt: [3], answers: [contrast(0, correct, incorrect)] };
        const { examples } = batchOf(Array.from({ length: copies }, () => pair));
        return measureCapability(engine, examples, { metric: 'logit-difference' });
      });

    it('the metric of both prompts, what is right, and the rank of the answer', async () => {
      const found = await measure(1, 0);
      expect(found.clean.mean).to.be.closeTo(24, 1e-9);
      expect(found.corrupt.mean).to.be.closeTo(-24, 1e-9);
      expect(found.gap.mean).to.be.closeTo(48, 1e-9);
      expect(found.accuracy?.mean).to.equal(1);
      expect(found.rank).to.deep.equal({ median: 1, worst: 1 });
      expect(found).to.include({ doesTask: true });
    });

    it('a model that prefers the wrong answer does not do the task, however far apart its prompts are', async () => {
      const found = await measure(0, 1);
      expect(found.clean.mean).to.be.closeTo(-24, 1e-9);
      expect(found.accuracy?.mean).to.equal(0);
      expect(found.rank).to.deep.equal({ median: 2, worst: 2 });
      expect(found.doesTask).to.equal(false);
      expect(found.faults.join())
        .to.match(/clean − corrupt = -48/)
        .and.match(/clean prompts = -24/);
    });
  });

  const judge = (
    clean: readonly number[],
    corrupt: readonly number[],
    more: { metric?: MetricKey; rank?: number[] } = {},
  ) =>
    judgeCapability(
      {
        clean: Float64Array.from(clean),
        corrupt: Float64Array.from(corrupt),
        rank: Float64Array.from(more.rank ?? clean.map(() => 1)),
      },
      { metric: more.metric ?? 'logit-difference', vocabulary: 100 },
    );

  it('a gap that is reliable is not enough: the clean metric must be, too', () => {
    // pair by pair 1 apart, and yet the clean metric is now above and now below 0
    const found = judge([-2, 1, -1, 1.5], [-3, 0, -2, 0.5]);
    expect(found.gap).to.include({ mean: 1, low: 1, high: 1 });
    expect(found.doesTask).to.equal(false);
    expect(found.faults).to.have.length(1);
    expect(found.faults[0]).to.match(/does not prefer the correct answer/);
  });

  it('nor is a mean that a few pairs make: what is right in fewer than half of many pairs is below chance', () => {
    const clean = [...Array<number>(30).fill(-0.01), ...Array<number>(10).fill(9)];
    const found = judge(
      clean,
      clean.map((x) => x - 5),
    );
    expect(found.accuracy?.mean).to.equal(0.25);
    expect(found.faults.join()).to.match(/right in 0\.250.* below chance/);
  });

  it('without incorrect answers, right is the most likely token, and a uniform guess is what has to be beaten', () => {
    const ranks = { metric: 'log-probability' as const, rank: [1, 1, 4, 1] };
    const able = judge([-0.1, -0.2, -1, -0.3], [-6, -7, -6.5, -8], ranks);
    expect(able.accuracy?.mean).to.equal(0.75);
    expect(able.rank).to.deep.equal({ median: 1, worst: 4 });
    expect(able.doesTask).to.equal(true);
    const guessing = judge([-4.7, -4.8, -4.65, -4.75], [-6, -7, -6.5, -8], ranks); // ln 100 = 4.605
    expect(guessing.faults.join()).to.match(/uniform guess \(-4\.605\)/);
  });

  it('where a model puts out a number, there is neither accuracy nor rank', () => {
    const found = judge([-0.01, -0.02, -0.01], [-4, -5, -4], {
      metric: 'squared-error',
      rank: [NaN, NaN, NaN],
    });
    expect(found).to.include({ accuracy: null, rank: null, doesTask: true });
  });

  it('one pair is judged by its values: it has no interval', () => {
    expect(judge([1], [-1]).doesTask).to.equal(true);
    expect(judge([-1], [-2]).doesTask).to.equal(false);
  });
});
