import { expect } from 'chai';
import { faithfulness, percentileAmong } from '../../src/evaluation/faithfulness.js';

describe('evaluation/faithfulness', () => {
  const clean = [3, 5];
  const corrupt = [-1, 1];

  it('is 1 for the model, 0 for the corrupt prompts, of means and not of ratios', () => {
    expect(faithfulness({ clean, corrupt, circuit: clean })).equal(1);
    expect(faithfulness({ clean, corrupt, circuit: corrupt })).equal(0);
    expect(faithfulness({ clean, corrupt, circuit: [1, 1] })).equal(0.25); // (1 − 0) / (4 − 0)
  });

  it('exceeds 1 where edges that hurt were cut', () => {
    expect(faithfulness({ clean, corrupt, circuit: [6, 6] })).equal(1.5);
  });

  it('is undefined where clean and corrupt do not differ', () => {
    expect(faithfulness({ clean: [1], corrupt: [1], circuit: [0] })).equal(null);
  });

  it('a percentile counts ties one half', () => {
    expect(percentileAmong(2, [1, 2, 3, 4])).equal(37.5);
    expect(percentileAmong(9, [1, 2])).equal(100);
    expect(percentileAmong(1, [])).equal(null);
  });
});
