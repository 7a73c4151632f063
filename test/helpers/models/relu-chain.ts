/** Attention-free chains of relu neurons, whose every number can be worked out on paper. */
import type { Model } from '../../../src/model/types.js';
import { handMade } from './hand-made.js';

const tensor = (shape: number[], ...rows: number[][]) => ({ shape, data: Float32Array.from(rows.flat()) });

/** An MLP of one relu neuron. */
interface Neuron {
  readonly reads: readonly number[];
  readonly bias?: number;
  readonly writes: readonly number[];
}

/** Layers of one neuron each; the embedding of token 0 is `clean` along the first dimension, of token 1 nothing. */
export function chain(
  neurons: readonly Neuron[],
  { clean, logit }: { clean: number; logit: readonly number[] },
): Model {
  const d = logit.length;
  const still = { shape: [1, d, 2], data: new Float32Array(2 * d) };
  const layer = ({ reads, bias = 0, writes }: Neuron, l: number) => ({
    ...Object.fromEntries(['Q', 'K', 'V'].map((role) => [`blocks.${l}.attn.W_${role}`, still])),
    [`blocks.${l}.attn.W_O`]: { shape: [1, 2, d], data: new Float32Array(2 * d) },
    [`blocks.${l}.mlp.W_in`]: tensor([d, 1], [...reads]),
    [`blocks.${l}.mlp.b_in`]: tensor([1], [bias]),
    [`blocks.${l}.mlp.W_out`]: tensor([1, d], [...writes]),
  });
  return handMade(
    { dModel: d, dMlp: 1, nLayers: neurons.length },
    {
      'embed.W_E': tensor([2, d], [clean, ...Array<number>(2 * d - 1).fill(0)]),
      'unembed.W_U': tensor([d, 2], ...logit.map((weight) => [weight, 0])),
      ...Object.assign({}, ...neurons.map(layer)),
    },
  );
}

/**
 * m0 says 2 (token 0) or 0 (token 1); the logit is m0 − relu(m0 − 1). At 2 its slope is 0, and yet from 2 to 0 it falls by 1: what
 * m0 does directly is cancelled, where a gradient looks, by what it does through m1.
 */
export const cancelling = (): Model =>
  chain(
    [
      { reads: [1, 0, 0], writes: [0, 1, 0] },
      { reads: [0, 1, 0], bias: -1, writes: [0, 0, -1] },
    ],
    { clean: 2, logit: [0, 1, 1] },
  );
