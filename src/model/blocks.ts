/**
 * The arithmetic of a transformer, as functions from symbolic tensors to symbolic tensors. They say what is computed, once,
 * for every runtime; which of it is computed, for which heads and positions, is the engine's business.
 *
 * The topology of a block is written once: attention, whose heads read the stream that enters and leave `mid`, then the MLP:
 *
 *     mid = pre + after(attention(before(pre)))        post = mid + after(mlp(before(what the MLP reads)))
 *
 * Every forward pass (`engine/model-run/block-forward.ts`), every backward pass (`block-backward.ts`) and every whole-model program
 * goes through these two halves; which norms stand before and after, and which positions a query sees, is the config's to say.
 *
 * Parameters carry short names without their layer (`qkv.weight`); `parameters.ts` makes their values from the model's weights.
 */
import * as p from '../program/index.js';
import type { Value } from '../program/index.js';
import type { ActivationKind, ModelConfig, NormKind } from './types.js';

/** What the programs' form depends on: the config, and which optional weights this model has. */
export interface Arithmetic {
  readonly config: ModelConfig;
  readonly has: {
    readonly qkvBias: boolean;
    readonly oBias: boolean;
    readonly inBias: boolean;
    readonly outBias: boolean;
    readonly unembedBias: boolean;
  };
}

const ACTIVATIONS: Readonly<Record<ActivationKind, (x: Value) => Value>> = {
  relu: p.relu,
  gelu: p.gelu,
  gelu_new: p.geluTanh,
  silu: p.silu,
};

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

export type NormName = 'ln1' | 'ln2' | 'ln1Post' | 'ln2Post' | 'lnFinal';

const PLACES: Readonly<Record<NormName, 'before' | 'after' | null>> = {
  ln1: 'before',
  ln2: 'before',
  ln1Post: 'after',
  ln2Post: 'after',
  lnFinal: null,
};

/** The kind of norm that the model has in a place; null: none. */
export function normAt(
  name: NormName,
  { norm, normPlaces = { before: true, after: false } }: Pick<ModelConfig, 'norm' | 'normPlaces'>,
): NormKind {
  const place = PLACES[name];
  return place === null || normPlaces[place] ? norm : null;
}

/** Whether what attention writes to the stream is normed first, so that heads' writes do not simply add up. */
export const normsWrites = ({ config }: Pick<Arithmetic, 'config'>): boolean => normAt('ln1Post', config) !== null;

interface Norm {
  /** the mean is taken out too */
  readonly centred: boolean;
  apply(x: Value, parameters: { weight: Value; bias: Value }, eps: number): Value;
}

const NORMS: Readonly<Record<'LN' | 'RMS', Norm>> = {
  LN: { centred: true, apply: (x, affine, eps) => p.layerNorm(x, affine, eps) },
  RMS: { centred: false, apply: (x, { weight }, eps) => p.rmsNorm(x, weight, eps) },
};

/** The norm of a place, or the identity where the model has none there. */
export function normalise(x: Value, name: NormName, { config }: Arithmetic): Value {
  const kind = normAt(name, config);
  if (kind === null) return x;
  const weight = p.parameter(`${name}.weight`, [config.dModel]);
  const bias = p.parameter(`${name}.bias`, [config.dModel]);
  return NORMS[kind].apply(x, { weight, bias }, config.normEps);
}

/** Whether the model's norms take the mean out. */
export const isCentred = ({ config }: Arithmetic): boolean => config.norm !== null && NORMS[config.norm].centred;

const withBias = (x: Value, present: boolean, bias: () => Value): Value => (present ? p.add(x, bias()) : x);

export interface HeadValues {
  /** [questions, examples, heads, pos, dHead], q and k after the rotary embedding, k and v one per query head */
  readonly q: Value;
  readonly k: Value;
  readonly v: Value;
}

/** x [questions, examples, pos, d] (before its norm) → the heads' queries, keys and values. */
export function projectHeads(x: Value, arithmetic: Arithmetic): HeadValues {
  const { dModel, dHead, nHeads, nKeyValueHeads } = arithmetic.config;
  const columns = (nHeads + 2 * nKeyValueHeads) * dHead;
  const weight = p.parameter('qkv.weight', [dModel, columns]);
  const product = p.matmul(normalise(x, 'ln1', arithmetic), weight);
  const all = withBias(product, arithmetic.has.qkvBias, () => p.parameter('qkv.bias', [columns]));
  const part = (first: number, heads: number): Value => {
    const values = p.slice(all, -1, [first * dHead, (first + heads) * dHead]); // [questions, examples, pos, heads * dHead]
    const split = p.reshape(values, [...x.shape.slice(0, 3), heads, dHead]);
    return p.transpose(split, [0, 1, 3, 2, 4]); // [questions, examples, heads, pos, dHead]
  };
  return {
    q: rotate(part(0, nHeads), arithmetic),
    k: ungroup(rotate(part(nHeads, nKeyValueHeads), arithmetic), arithmetic),
    v: ungroup(part(nHeads + nKeyValueHeads, nKeyValueHeads), arithmetic),
  };
}

/** Each query head gets its own copy of its key-value head: [questions, examples, kvHeads, …] → [questions, examples, heads, …]. */
function ungroup(x: Value, { config }: Arithmetic): Value {
  if (config.nKeyValueHeads === config.nHeads) return x;
  const [questions, examples, kvHeads, pos, dHead] = x.shape as [p.Dim, p.Dim, number, p.Dim, p.Dim];
  const copies = config.nHeads / config.nKeyValueHeads;
  const apart = p.reshape(x, [questions, examples, kvHeads, 1, pos, dHead]);
  const copied = p.broadcast(apart, [questions, examples, kvHeads, copies, pos, dHead]);
  return p.reshape(copied, [questions, examples, config.nHeads, pos, dHead]);
}

/** The rotary embedding over x […, pos, dHead]: pairs (i, i + dims/2) turn by an angle that grows with the position. */
export function rotate(x: Value, { config }: Arithmetic): Value {
  if (config.rotary === null) return x;
  const half = config.rotary.dims / 2;
  const pos = x.shape.at(-2) as p.Dim;
  const cos = p.input('rotary.cos', [pos, half]);
  const sin = p.input('rotary.sin', [pos, half]);
  const [first, second] = [p.slice(x, -1, [0, half]), p.slice(x, -1, [half, 2 * half])];
  const turned = [p.sub(p.mul(first, cos), p.mul(second, sin)), p.add(p.mul(second, cos), p.mul(first, sin))];
  const rest = config.dHead > 2 * half ? [p.slice(x, -1, [2 * half, config.dHead])] : [];
  return p.concat([...turned, ...rest], -1);
}

/** cap · tanh(x / cap), the identity near 0. */
const capped = (x: Value, cap: number | undefined): Value =>
  cap === undefined ? x : p.mul(p.tanh(p.mul(x, 1 / cap)), cap);

/** Queries and keys → scores, at a temperature that divides what the softmax sees. */
function attentionScores(q: Value, k: Value, { attnScale, scoreCap }: ModelConfig, temperature: number): Value {
  const products = p.matmul(q, p.swapLast(k));
  if (scoreCap === undefined) return p.mul(products, 1 / (attnScale * temperature));
  const scores = capped(p.mul(products, 1 / attnScale), scoreCap);
  return temperature === 1 ? scores : p.mul(scores, 1 / temperature);
}

interface PatternOptions {
  /** added to the scores, behind their cap */
  readonly onto?: Value | null;
  /** of the softmax */
  readonly temperature?: number;
}

/**
 * Attention scores → pattern […, pos, keys]. The mask [pos, keys] holds 0 or a very negative number: which keys a query sees is
 * the layer's own, and the program's input.
 */
export function attentionPattern(
  q: Value,
  k: Value,
  { config }: Arithmetic,
  { onto = null, temperature = 1 }: PatternOptions = {},
): Value {
  const plain = attentionScores(q, k, config, temperature);
  const scores = onto === null ? plain : p.add(plain, onto);
  if (config.attention === 'bidirectional') return p.softmax(scores);
  const [pos, keys] = scores.shape.slice(-2) as [p.Dim, p.Dim];
  return p.softmax(p.add(scores, p.input('mask', [pos, keys])));
}

export interface MlpValues {
  /** before the activation [questions, examples, pos, dMlp]; two tensors for a gated MLP */
  readonly hidden: Value;
  readonly gate: Value | null;
  readonly output: Value;
}

/** x [questions, examples, pos, d] (before its norm) → what the MLP adds to the stream, its bias included. */
export function mlp(x: Value, arithmetic: Arithmetic): MlpValues {
  const { dModel, dMlp, gatedMlp } = arithmetic.config;
  const normed = normalise(x, 'ln2', arithmetic);
  const into = p.matmul(normed, p.parameter('mlp.in', [dModel, dMlp]));
  const hidden = withBias(into, arithmetic.has.inBias, () => p.parameter('mlp.in.bias', [dMlp]));
  const gate = gatedMlp ? p.matmul(normed, p.parameter('mlp.gate', [dModel, dMlp])) : null;
  return { hidden, gate, output: mlpOutput(hidden, gate, arithmetic) };
}

/** The model's activation function. */
export const activate = (x: Value, { config }: Arithmetic): Value => ACTIVATIONS[config.activation](x);

/** What the MLP's neurons say, from its pre-activations. */
export const neurons = (hidden: Value, gate: Value | null, arithmetic: Arithmetic): Value =>
  gate ? p.mul(activate(gate, arithmetic), hidden) : activate(hidden, arithmetic);

/** The second half of the MLP, from its pre-activations. */
export const mlpOutput = (hidden: Value, gate: Value | null, arithmetic: Arithmetic): Value =>
  neuronsOutput(neurons(hidden, gate, arithmetic), arithmetic);

/** What neurons [questions, examples, pos, dMlp] add to the stream. */
export const neuronsOutput = (active: Value, arithmetic: Arithmetic): Value =>
  normalise(neuronsSum(active, arithmetic), 'ln2Post', arithmetic);

/** The same before the norm that follows the MLP. */
export function neuronsSum(active: Value, arithmetic: Arithmetic): Value {
  const { dModel, dMlp } = arithmetic.config;
  const out = p.matmul(active, p.parameter('mlp.out', [dMlp, dModel]));
  return withBias(out, arithmetic.has.outBias, () => p.parameter('mlp.out.bias', [dModel]));
}

/** z [questions, examples, heads, pos, dHead] → what attention adds to the residual stream. */
export const attentionOutput = (z: Value, arithmetic: Arithmetic): Value =>
  normalise(attentionSum(z, arithmetic), 'ln1Post', arithmetic);

/** What the heads write and the output bias, before the norm that follows attention. */
export function attentionSum(z: Value, arithmetic: Arithmetic): Value {
  const { dModel, dHead, nHeads } = arithmetic.config;
  const [questions, examples, , pos] = z.shape as [p.Dim, p.Dim, p.Dim, p.Dim];
  const flat = p.reshape(p.transpose(z, [0, 1, 3, 2, 4]), [questions, examples, pos, nHeads * dHead]);
  const out = p.matmul(flat, p.parameter('o.weight', [nHeads * dHead, dModel]));
  return withBias(out, arithmetic.has.oBias, () => p.parameter('o.bias', [dModel]));
}

/** x […, d] (before the final norm) → logits […, dVocabOut]. */
export function unembed(x: Value, arithmetic: Arithmetic): Value {
  const { dModel, dVocabOut } = arithmetic.config;
  const product = p.matmul(normalise(x, 'lnFinal', arithmetic), p.parameter('unembed.weight', [dModel, dVocabOut]));
  const logits = withBias(product, arithmetic.has.unembedBias, () => p.parameter('unembed.bias', [dVocabOut]));
  return capped(logits, arithmetic.config.logitCap);
}
