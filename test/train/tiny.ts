/** Models small enough to be trained in a test. */
import { seeded, type Random } from '../../src/task/random.js';
import { batchOf, type Batch } from '../../src/train/batch.js';
import { causalConfig, withBiases } from '../../src/train/config.js';
import type { Blueprint } from '../../src/train/forward.js';

const SIZE = { nLayers: 2, nHeads: 2, dModel: 8, nCtx: 8, dVocab: 7 };

/** MLPs, biases, learned positions, a tied unembedding: all that the ioi model has. */
export const tinyGpt2: Blueprint = {
  config: causalConfig(
    { ...SIZE, name: 'tiny-gpt2', dMlp: 12 },
    { architecture: 'gpt2', positional: 'learned', rotary: null },
  ),
  tied: true,
  has: withBiases(true),
};

/** Attention only, rotary positions, no biases: all that the induction model has. */
export const tinyAttention: Blueprint = {
  config: causalConfig(
    { ...SIZE, name: 'tiny-attention', dMlp: 0 },
    { architecture: 'plain', positional: 'rotary', rotary: { base: 100, dims: 4, adjacentPairs: false } },
  ),
  tied: false,
  has: withBiases(false),
};

/** Counting upwards modulo the vocabulary, from anywhere: learnt at once, from the last token alone. */
export const countingBatches = (random: Random) => (): Batch =>
  batchOf(
    Array.from({ length: 4 }, () => {
      const first = random.between(0, SIZE.dVocab - 1);
      return Array.from({ length: random.between(4, SIZE.nCtx) }, (_, i) => (first + i) % SIZE.dVocab);
    }),
    0,
  );

export const oneBatch = (): Batch => countingBatches(seeded(3))();
