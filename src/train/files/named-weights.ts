/** A trained model's weights under their TransformerLens names. */
import type { Blueprint } from '../forward.js';

export interface NamedTensor {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

type Read = (name: string) => Float32Array;

/** For attention-only models without biases, with rotary positions: what the plain container is given. */
export function namedWeights(
  { config }: Blueprint,
  weights: ReadonlyMap<string, Float32Array>,
): Record<string, NamedTensor> {
  const { nLayers, nHeads, dModel, dHead, dVocab, dVocabOut } = config;
  const read: Read = (name) => {
    const values = weights.get(name);
    if (!values) throw new Error(`train/named-weights: no weight is called ${name}`);
    return values;
  };
  const vector = (name: string): NamedTensor => ({ shape: [dModel], data: read(name) });
  const named: Record<string, NamedTensor> = { 'embed.W_E': { shape: [dVocab, dModel], data: read('embed') } };
  for (let layer = 0; layer < nLayers; layer++) {
    const at = `blocks.${layer}`;
    named[`${at}.ln1.w`] = vector(`${layer}.ln1.weight`);
    named[`${at}.ln1.b`] = vector(`${layer}.ln1.bias`);
    ['W_Q', 'W_K', 'W_V'].forEach((name, part) => {
      const data = columnsByHead(read(`${layer}.qkv.weight`), { rows: dModel, heads: nHeads, dHead, part });
      named[`${at}.attn.${name}`] = { shape: [nHeads, dModel, dHead], data };
    });
    named[`${at}.attn.W_O`] = { shape: [nHeads, dHead, dModel], data: read(`${layer}.o.weight`) };
  }
  named['ln_final.w'] = vector('lnFinal.weight');
  named['ln_final.b'] = vector('lnFinal.bias');
  named['unembed.W_U'] = { shape: [dModel, dVocabOut], data: read('unembed.weight') };
  return named;
}

/** One of the three parts of [d, 3 · heads · dHead] as [heads, d, dHead]. */
function columnsByHead(
  joint: Float32Array,
  { rows, heads, dHead, part }: { rows: number; heads: number; dHead: number; part: number },
): Float32Array {
  const result = new Float32Array(heads * rows * dHead);
  for (let head = 0; head < heads; head++)
    for (let row = 0; row < rows; row++) {
      const from = row * 3 * heads * dHead + (part * heads + head) * dHead;
      result.set(joint.subarray(from, from + dHead), (head * rows + row) * dHead);
    }
  return result;
}
