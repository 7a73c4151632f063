/** A small model with random weights, for laws that hold of any model. */
import { randomWeights } from '../../../src/model/random.js';
import type { Model, ModelConfig } from '../../../src/model/types.js';

const SMALL: ModelConfig = {
  ...{ name: 'random', architecture: 'gpt2', nLayers: 2, nHeads: 2, nKeyValueHeads: 2, dModel: 8, dHead: 4, dMlp: 12 },
  ...{ activation: 'gelu_new', gatedMlp: false, norm: 'LN', normEps: 1e-5, positional: 'learned', rotary: null },
  ...{ attention: 'causal', attnScale: 2, parallelBlocks: false, nCtx: 16, dVocab: 10, dVocabOut: 10 },
};

export const randomModel = (overrides: Partial<ModelConfig>, seed: number): Model => {
  const config = { ...SMALL, ...overrides };
  const weights = randomWeights(config, seed);
  return { config, weights, tokenizer: null, source: `random-${seed}`, dispose: async () => undefined };
};
