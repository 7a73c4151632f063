/**
 * The topology of a transformer block, written once: attention, whose heads read the stream that enters and leave `mid`, then the
 * MLP, which leaves the stream after the block.
 *
 *     mid = pre + after(attention(before(pre)))        post = mid + after(mlp(before(what the MLP reads)))
 *
 * Every forward pass (`engine/model-run/block-forward.ts`), every backward pass (`block-backward.ts`) and every whole-model program
 * goes through these two halves; which norms stand before and after, and which positions a query sees, is the config's to say.
 */
import type { ModelConfig } from './types.js';

/** The stream that a block's MLP reads; null: it has none. */
export function mlpReads({ dMlp, parallelBlocks }: Pick<ModelConfig, 'dMlp' | 'parallelBlocks'>): 'pre' | 'mid' | null {
  if (dMlp === 0) return null;
  return parallelBlocks ? 'pre' : 'mid';
}

/** What a layer's mask is called where a program holds several layers: layers of one kind share it. */
export const maskName = ({ windows }: Pick<ModelConfig, 'windows'>, layer: number): string => {
  const window = windows?.[layer] ?? null;
  return window === null ? 'mask' : `mask.${window}`;
};
