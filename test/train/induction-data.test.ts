import { expect } from 'chai';
import { seeded } from '../../src/task/random.js';
import { repeatedSequence, SEQUENCE } from '../../src/train/recipes/induction-data.js';

describe('the sequences of the induction model', () => {
  const VOCABULARY = 1_000_000_000;
  const random = seeded(4);
  const sequences = Array.from({ length: 500 }, () => repeatedSequence(random, VOCABULARY));
  /** where the first token that was there before stands, and how far back it was */
  const firstRepeat = (sequence: readonly number[]): [at: number, back: number] => {
    const at = sequence.findIndex((token, i) => sequence.indexOf(token) < i);
    return [at, at - sequence.indexOf(sequence[at] as number)];
  };

  it('are of one length and repeat to their end', () => {
    for (const sequence of sequences) {
      const [at, back] = firstRepeat(sequence);
      expect(sequence).to.have.length(SEQUENCE);
      for (let i = at; i < SEQUENCE; i++) expect(sequence[i]).to.equal(sequence[i - back]);
    }
  });

  it('begin again at many places and after many distances, so that position alone tells nothing', () => {
    const repeats = sequences.map(firstRepeat);
    expect(new Set(repeats.map(([at]) => at)).size).to.be.above(25);
    expect(new Set(repeats.map(([, back]) => back)).size).to.equal(29);
  });
});
