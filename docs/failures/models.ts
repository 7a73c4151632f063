/**
 * Three models written by hand, small enough that every number about them can be worked out on paper: an OR gate, an AND gate, and a
 * head with a backup. They show where each method fails; `docs/failures.md` is about them and `test/attribution/edges/failures.test.ts`
 * holds every method to what it must and must not see in them.
 */
import type { Model, ModelConfig } from '../../src/model/types.js';
import { memoryWeights } from '../../src/model/weights.js';
import type { Example } from '../../src/task/types.js';

/** A model, one pair of prompts, and the edges that carry the task. */
export interface Known {
  readonly name: string;
  readonly model: Model;
  readonly example: Example;
  /** what a person who wrote the model would call its circuit */
  readonly circuit: readonly string[];
}

type Tensors = Parameters<typeof memoryWeights>[0];

/** A tensor of zeros but for entries by index: `{ '0,1': 2 }`. */
const sparse = (shape: readonly number[], entries: Readonly<Record<string, number>>) => {
  const data = new Float32Array(shape.reduce((a, b) => a * b, 1));
  for (const [index, value] of Object.entries(entries)) {
    const at = index.split(',').reduce((place, i, axis) => place * (shape[axis] as number) + Number(i), 0);
    data[at] = value;
  }
  return { shape, data };
};

const modelOf = (config: Pick<ModelConfig, 'name'> & Partial<ModelConfig>, tensors: Tensors): Model => {
  const weights = memoryWeights(tensors);
  return {
    config: {
      ...{ architecture: 'plain', nLayers: 1, nHeads: 1, nKeyValueHeads: 1, dModel: 5, dHead: 1, dMlp: 0, nCtx: 4 },
      ...{ activation: 'relu', gatedMlp: false, norm: null, normEps: 1e-5, positional: 'none', rotary: null },
      ...{ attention: 'causal', attnScale: 1, parallelBlocks: false, dVocab: 4, dVocabOut: 2 },
      ...config,
    },
    weights,
    tokenizer: null,
    source: config.name,
    dispose: () => weights.close(),
  };
};

const exampleOf = (clean: readonly number[], corrupt: readonly number[]): Example => ({
  ...{ index: 0, clean, corrupt, spans: {}, group: null },
  answers: [{ position: clean.length - 1, correct: { ids: [1], weights: [1] }, incorrect: { ids: [0], weights: [1] } }],
});

/** The same pair the other way round: the corrupt prompt is asked for its own answer. */
export const turned = ({ clean, corrupt, answers, ...rest }: Example): Example => ({
  ...rest,
  ...{ clean: corrupt, corrupt: clean },
  answers: answers.map(({ correct, incorrect, ...answer }) => ({ ...answer, correct: incorrect, incorrect: correct })),
});

/**
 * One token says two bits, a and b (ids 0 … 3 = 00, 01, 10, 11). Head 0 copies a to A and head 1 copies b to B; one neuron of the
 * MLP makes G of A and B; the logit difference is 2 G − 1. A prompt of one token looks at itself, so queries and keys are idle.
 */
const gate = (name: string, mlp: Tensors): Known => ({
  name,
  example: exampleOf([3], [0]),
  circuit: ['input->a0.h0<v>', 'input->a0.h1<v>', 'a0.h0->m0', 'a0.h1->m0', 'm0->logits'],
  model: modelOf(
    { name, nHeads: 2, nKeyValueHeads: 2, dMlp: 1 },
    {
      // the stream: a, b, A, B, G
      'embed.W_E': sparse([4, 5], { '2,0': 1, '1,1': 1, '3,0': 1, '3,1': 1 }),
      'blocks.0.attn.W_Q': sparse([2, 5, 1], {}),
      'blocks.0.attn.W_K': sparse([2, 5, 1], {}),
      'blocks.0.attn.W_V': sparse([2, 5, 1], { '0,0,0': 1, '1,1,0': 1 }),
      'blocks.0.attn.W_O': sparse([2, 1, 5], { '0,0,2': 1, '1,0,3': 1 }),
      ...mlp,
      'unembed.W_U': sparse([5, 2], { '4,0': -1, '4,1': 1 }),
      'unembed.b_U': sparse([2], { '0': 0.5, '1': -0.5 }),
    },
  ),
});

/** G = 1 − relu(1 − A − B), the gate of `test/goldens/ground-truth/or-gate`: on, its neuron is off. */
export const orGate = (): Known =>
  gate('OR gate', {
    'blocks.0.mlp.W_in': sparse([5, 1], { '2,0': -1, '3,0': -1 }),
    'blocks.0.mlp.b_in': sparse([1], { '0': 1 }),
    'blocks.0.mlp.W_out': sparse([1, 5], { '0,4': -1 }),
    'blocks.0.mlp.b_out': sparse([5], { '4': 1 }),
  });

/** G = relu(A + B − 1). */
export const andGate = (): Known =>
  gate('AND gate', {
    'blocks.0.mlp.W_in': sparse([5, 1], { '2,0': 1, '3,0': 1 }),
    'blocks.0.mlp.b_in': sparse([1], { '0': -1 }),
    'blocks.0.mlp.W_out': sparse([1, 5], { '0,4': 1 }),
  });

/** How sharply the heads of the backup model look: e^−64 of the attention goes elsewhere. */
const SHARP = 64;

/**
 * Three tokens: a place to rest, a word that says a bit (id 1: 0, id 2: 1), an end. At the end, a0.h0 copies the word's bit to P.
 * a1.h0 rests while P is 1; while P is 0 it looks at the word and copies its bit to R. The logit difference is 2 (P + R) − 1: with
 * the first head silent, the second says the same.
 */
export const backupHead = (): Known => ({
  name: 'backup head',
  example: exampleOf([0, 2, 3], [0, 1, 3]),
  circuit: ['input->a0.h0<v>', 'a0.h0->logits', 'a0.h0->a1.h0<q>', 'input->a1.h0<v>', 'a1.h0->logits'],
  model: modelOf(
    { name: 'backup head', nLayers: 2, dModel: 6, dHead: 2 },
    {
      // the stream: bit, is a word, is the rest, is the end, P, R; every head asks for (word, rest)
      'embed.W_E': sparse([4, 6], { '0,2': 1, '1,1': 1, '2,1': 1, '2,0': 1, '3,3': 1 }),
      'blocks.0.attn.W_Q': sparse([1, 6, 2], { '0,3,0': SHARP, '0,1,1': SHARP, '0,2,1': SHARP }),
      'blocks.1.attn.W_Q': sparse([1, 6, 2], {
        ...{ '0,3,0': SHARP, '0,1,1': SHARP, '0,2,1': SHARP },
        ...{ '0,4,0': -SHARP, '0,4,1': SHARP },
      }),
      ...Object.fromEntries(
        [0, 1].flatMap((layer) => [
          [`blocks.${layer}.attn.W_K`, sparse([1, 6, 2], { '0,1,0': 1, '0,2,1': 1 })],
          [`blocks.${layer}.attn.W_V`, sparse([1, 6, 2], { '0,0,0': 1 })],
        ]),
      ),
      'blocks.0.attn.W_O': sparse([1, 2, 6], { '0,0,4': 1 }),
      'blocks.1.attn.W_O': sparse([1, 2, 6], { '0,0,5': 1 }),
      'unembed.W_U': sparse([6, 2], { '4,0': -1, '4,1': 1, '5,0': -1, '5,1': 1 }),
      'unembed.b_U': sparse([2], { '0': 0.5, '1': -0.5 }),
    },
  ),
});
