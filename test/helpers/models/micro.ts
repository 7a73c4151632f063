import type { Batch } from "../../../src/engine/core/batches.js";
import type { Model } from '../../../src/model/types.js';
import { batchOf } from '../engine.js';
import { handMade } from './hand-made.js';

const heads = (rows: readonly (readonly number[])[]) => ({ shape: [2, 2, 2], data: Float32Array.from(rows.flat()) });
const ZERO = heads([Array<number>(8).fill(0)]); // a prompt of one token looks at itself, whatever it asks
const IDENTITY = [1, 0, 0, 1];
const layer = (l: number) => ({
  [`blocks.${l}.attn.W_Q`]: ZERO,
  [`blocks.${l}.attn.W_K`]: ZERO,
  [`blocks.${l}.attn.W_V`]: heads([IDENTITY, IDENTITY]),
  [`blocks.${l}.attn.W_O`]: heads([
    [1, 0, 0, 2],
    [3, 0, 0, 4],
  ]),
});
/** Token i is the vector SCALES[i] · [1, 1]. */
export const SCALES = [1, 2, 3, -1, -2, -3];
export const MICRO: Model = handMade(
  { name: 'micro', nLayers: 2, nHeads: 2, nKeyValueHeads: 2, dVocab: SCALES.length },
  {
    'embed.W_E': { shape: [SCALES.length, 2], data: Float32Array.from(SCALES.flatMap((x) => [x, x])) },
    'unembed.W_U': { shape: [2, 2], data: Float32Array.from(IDENTITY) },
    ...layer(0),
    ...layer(1),
  },
);

const none = { ids: [], weights: [] };
const one = (id: number) => ({ ids: [id], weights: [1] });
/** Output 0, output 1, and their difference, each as a task of its own. */
const ANSWERS = [
  { position: 0, correct: one(0), incorrect: none },
  { position: 0, correct: one(1), incorrect: none },
  { position: 0, correct: one(1), incorrect: one(0) },
];
/** Three examples about the vector [1, 1], its corrupt prompt the negative: what is asked is the only difference. */
export const BATCH: Batch = batchOf(ANSWERS.map((answer) => ({ clean: [0], corrupt: [3], answers: [answer] })));

/** One edge cut: what comes out, and the change of the difference. */
export const HAND: Readonly<Record<string, readonly [number, number, number]>> = {
  'input->a0.h0<v>': [15, 21, -18],
  'input->a0.h1<v>': [-5, -7, -26],
  'input->a1.h0<v>': [23, 45, -2],
  'input->a1.h1<v>': [19, 41, -2],
  'a0.h0->a1.h0<v>': [23, 41, -6],
  'a0.h0->a1.h1<v>': [19, 33, -10],
  'a0.h1->a1.h0<v>': [19, 33, -10],
  'a0.h1->a1.h1<v>': [7, 17, -14],
  'input->logits': [23, 47, 0],
  'a0.h0->logits': [23, 45, -2],
  'a0.h1->logits': [19, 41, -2],
  'a1.h0->logits': [15, 21, -18],
  'a1.h1->logits': [-5, -7, -26],
};
