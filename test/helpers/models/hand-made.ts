/** Models made by hand or drawn at random, in memory. */
import { randomWeights } from '../../../src/model/random.js';
import type { Model, ModelConfig, Weights } from '../../../src/model/types.js';
import { memoryWeights } from '../../../src/model/weights.js';

/** Attention only, no norm, no positions, one layer of one head over two tokens; every test says what differs. */
const CONFIG: ModelConfig = {
  name: 'hand-made',
  architecture: 'plain',
  nLayers: 1,
  nHeads: 1,
  nKeyValueHeads: 1,
  dModel: 2,
  dHead: 2,
  dMlp: 0,
  activation: 'relu',
  gatedMlp: false,
  norm: null,
  normEps: 1e-5,
  positional: 'none',
  rotary: null,
  attention: 'causal',
  attnScale: 1,
  parallelBlocks: false,
  nCtx: 8,
  dVocab: 2,
  dVocabOut: 2,
};

const modelOf = (config: ModelConfig, weights: Weights): Model => ({
  config,
  weights,
  tokenizer: null,
  source: config.name,
  dispose: () => weights.close(),
});

export const handMade = (config: Partial<ModelConfig>, tensors: Parameters<typeof memoryWeights>[0]): Model =>
  modelOf({ ...CONFIG, ...config }, memoryWeights(tensors));

export const randomModel = (config: Partial<ModelConfig>, seed: number): Model => {
  const whole = { ...CONFIG, ...config };
  return modelOf(whole, randomWeights(whole, seed));
};

/** Norms also behind attention and MLP: writes do not add up, so that what is defined through their sum is refused. */
export const NORMED_WRITES = 'norms before and after, windows, soft caps, scaled embeddings';

/** Small shapes that between them use every branch of the arithmetic. */
export const SHAPES: Readonly<Record<string, Partial<ModelConfig>>> = {
  'LayerNorm, learned positions, biases': {
    ...{ nLayers: 3, nHeads: 2, nKeyValueHeads: 2, dModel: 8, dHead: 4, dMlp: 12, dVocab: 11, dVocabOut: 11 },
    ...{ norm: 'LN', positional: 'learned', activation: 'gelu_new', attnScale: 2 },
  },
  'RMSNorm, rotary, grouped queries, gated MLP': {
    ...{ nLayers: 2, nHeads: 4, nKeyValueHeads: 2, dModel: 12, dHead: 4, dMlp: 10, dVocab: 11, dVocabOut: 11 },
    ...{ norm: 'RMS', positional: 'rotary', rotary: { base: 100, dims: 4, adjacentPairs: false } },
    ...{ activation: 'silu', gatedMlp: true, attnScale: 2 },
  },
  'parallel blocks, partial rotary in adjacent pairs': {
    ...{ nLayers: 2, nHeads: 2, nKeyValueHeads: 2, dModel: 8, dHead: 6, dMlp: 12, dVocab: 11, dVocabOut: 11 },
    ...{ norm: 'LN', positional: 'rotary', rotary: { base: 100, dims: 4, adjacentPairs: true } },
    ...{ activation: 'gelu_new', parallelBlocks: true, attnScale: 2.5 },
  },
  [NORMED_WRITES]: {
    ...{ nLayers: 3, nHeads: 2, nKeyValueHeads: 1, dModel: 8, dHead: 4, dMlp: 10, dVocab: 11, dVocabOut: 11 },
    ...{ norm: 'RMS', normPlaces: { before: true, after: true }, normOffset: 0.25, normEps: 0.5, windows: [3, null, 2] },
    ...{ positional: 'rotary', rotary: { base: 100, dims: 4, adjacentPairs: false }, attnScale: 1.5 },
    ...{ activation: 'gelu_new', gatedMlp: true, scoreCap: 1.5, logitCap: 2, embeddingScale: 1.5 },
  },
  'attention only, no norm, bidirectional': {
    ...{ nLayers: 3, nHeads: 2, nKeyValueHeads: 2, dModel: 6, dHead: 3, dVocab: 11, dVocabOut: 5 },
    ...{ positional: 'learned', attention: 'bidirectional', attnScale: 1.7 },
  },
};
