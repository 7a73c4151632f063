/** What every row works on: GPT-2 small's shape with random weights, 16 pairs of 16 tokens that differ from position 8 on. */
import { Engine } from '../src/engine/core/engine.js';
import type { Batch } from '../src/engine/core/batches.js';
import { randomWeights } from '../src/model/random.js';
import type { Model, ModelConfig } from '../src/model/types.js';
import { createRuntime } from '../src/runtime/index.js';
import { seeded } from '../src/task/random.js';
import type { Example } from '../src/task/types.js';

const THREADS = 2;
const PAIRS = 16;
const LENGTH = 16;
const FIRST_CHANGE = 8;
const SEED = 0;

export const GPT2_SMALL: ModelConfig = {
  name: 'random-gpt2-small',
  architecture: 'gpt2',
  nLayers: 12,
  nHeads: 12,
  nKeyValueHeads: 12,
  dModel: 768,
  dHead: 64,
  dMlp: 3072,
  activation: 'gelu_new',
  gatedMlp: false,
  norm: 'LN',
  normEps: 1e-5,
  positional: 'learned',
  rotary: null,
  attention: 'causal',
  attnScale: 8,
  parallelBlocks: false,
  nCtx: 1024,
  dVocab: 50257,
  dVocabOut: 50257,
};

export const TOKENS = PAIRS * LENGTH;

function randomModel(): Model {
  return {
    config: GPT2_SMALL,
    weights: randomWeights(GPT2_SMALL, SEED),
    tokenizer: null,
    source: 'random',
    dispose: async () => undefined,
  };
}

/** Pairs of equal prompts, whose tokens are drawn anew from FIRST_CHANGE on; the answers are two random tokens. */
function randomPairs(): Batch {
  const random = seeded(SEED);
  const token = (): number => random.between(0, GPT2_SMALL.dVocab - 1);
  const tokens = (count: number): number[] => Array.from({ length: count }, token);
  const answer = (): { ids: number[]; weights: number[] } => ({ ids: [token()], weights: [1] });
  const example = (index: number): Example => {
    const clean = tokens(LENGTH);
    const corrupt = [...clean.slice(0, FIRST_CHANGE), ...tokens(LENGTH - FIRST_CHANGE)];
    return {
      index,
      clean,
      corrupt,
      answers: [{ position: LENGTH - 1, correct: answer(), incorrect: answer() }],
      spans: {},
      group: null,
    };
  };
  return { examples: Array.from({ length: PAIRS }, (_, index) => example(index)), length: LENGTH };
}

export interface Workload {
  readonly engine: Engine;
  readonly batch: Batch;
  dispose(): Promise<void>;
}

export async function openWorkload(): Promise<Workload> {
  const runtime = await createRuntime('onnx', { threads: THREADS });
  const engine = new Engine(randomModel(), runtime);
  return {
    engine,
    batch: randomPairs(),
    async dispose() {
      await engine.dispose();
      await runtime.dispose();
    },
  };
}
