/** A forward pass that keeps what the way back needs, and the steps back through one layer. */
import type { Tensor, Tensors } from '../../runtime/types.js';
import type { Arena } from '../core/arena.js';
import type { Engine } from '../core/engine.js';
import { attend, feedForward, output, prefixInputs, project, type HeadTensors } from './layers.js';
import type { Rules } from '../kernels/attribution.js';
import { tokensOf } from './prompts.js';
import { at } from './bound-run.js';
import type { Span } from '../core/span.js';

/** What one layer's forward pass leaves for the backward pass. */
export interface Saved {
  readonly pre: Tensor;
  readonly mid: Tensor;
  readonly heads: HeadTensors;
  readonly mlp: Tensors;
}

export interface Pass extends WayBack {
  readonly engine: Engine;
  readonly span: Span;
  /** owns everything saved */
  readonly arena: Arena;
  /** per layer, where keys and values of the positions before the span come from */
  readonly cached: readonly HeadTensors[];
}

/** What goes back through a layer instead of the derivative. */
export interface WayBack {
  readonly rules?: Rules;
  /** per layer, where queries and keys would go: the pattern's change over the whole way stands for its derivative */
  readonly toward?: readonly HeadTensors[];
}

/**
 * x [questions, examples, pos, d] entering layer `first`, owned by the pass from now on → the final stream, and what each layer
 * from `first` on leaves.
 */
export async function forwardSaved(
  pass: Pass,
  entering: Tensor,
  first = 0,
): Promise<{ saved: Saved[]; final: Tensor }> {
  const { engine, span, arena, cached } = pass;
  const { nLayers, dMlp, parallelBlocks } = engine.model.config;
  let x = arena.own(entering);
  const saved: Saved[] = [];
  for (let layer = first; layer < nLayers; layer++) {
    const place = { engine, layer, span };
    const heads = arena.own((await project(place, x)) as unknown as Tensors) as unknown as HeadTensors;
    const { z } = await attend(place, heads, { cached: cached[layer] ?? null });
    const mid = arena.own(await output(place, x, z as Tensor));
    (z as Tensor).dispose();
    const reads = parallelBlocks ? x : mid;
    const mlp = dMlp === 0 ? {} : arena.own(await feedForward(place, { x: reads, onto: mid }, savedByMlp(engine)));
    saved.push({ pre: x, mid, heads, mlp });
    x = dMlp === 0 ? mid : (mlp['post'] as Tensor);
  }
  engine.passed('forward', { tokens: tokensOf(x), layers: nLayers - first, span });
  return { saved, final: x };
}

export const savedByMlp = (engine: Engine): string[] => [
  'post',
  'hidden',
  ...(engine.model.config.gatedMlp ? ['gate'] : []),
];

/** A layer's saved tensors, and the gradient that reaches them. */
export interface At {
  readonly saved: Saved;
  readonly gradient: Tensor;
}

/** The gradient at the MLP's input; null for attention-only models. */
export async function gradientThroughMlp(
  { engine, rules }: Pass,
  layer: number,
  { saved, gradient }: At,
): Promise<Tensor | null> {
  const { dMlp, parallelBlocks } = engine.model.config;
  if (dMlp === 0) return null;
  const gate = saved.mlp['gate'];
  const x = parallelBlocks ? saved.pre : saved.mid;
  const inputs = { x, hidden: saved.mlp['hidden'] as Tensor, gradient, ...(gate ? { gate } : {}) };
  const result = rules
    ? await engine.run({ name: 'mlpPropagation', layer, variant: rules.mlp, inputs })
    : await engine.run({ name: 'mlpGradient', layer, inputs });
  return result['x'] as Tensor;
}

/** The gradients at the layer's q, k and v. */
export async function gradientThroughHeads(pass: Pass, layer: number, from: At): Promise<HeadTensors> {
  const { engine, span, cached, rules, toward } = pass;
  const { z } = await engine.run({ name: 'outputGradient', layer, inputs: { gradient: from.gradient } });
  const { q, k, v } = from.saved.heads;
  const inputs = { q, k, v, gradient: z as Tensor, ...span.mask, ...prefixInputs(span, at(cached, layer) ?? null) };
  const { prefix } = span;
  const linear = rules
    ? await engine.run({ name: 'attendPropagation', layer, variant: { prefix, ...rules.attention }, inputs })
    : await engine.run({ name: 'attendGradient', layer, variant: { prefix }, inputs });
  const result = toward
    ? await softmaxFixed(pass, layer, { saved: from.saved.heads, atZ: z as Tensor, linear })
    : linear;
  (z as Tensor).dispose();
  return result as unknown as HeadTensors;
}

/** The gradients at q and k, as far as the alternative rather than at the point. */
async function softmaxFixed(
  { engine, span, cached, toward }: Pass,
  layer: number,
  of: { saved: HeadTensors; atZ: Tensor; linear: Tensors },
): Promise<Tensors> {
  const { q, k, v } = of.linear as unknown as HeadTensors;
  const alternative = at(toward as readonly HeadTensors[], layer);
  const inputs = {
    ...of.saved,
    ...{ gradient: of.atZ, 'q.gradient': q, 'k.gradient': k, 'q.alt': alternative.q, 'k.alt': alternative.k },
    ...{ ...span.mask, ...prefixInputs(span, at(cached, layer) ?? null), positions: span.positions },
  };
  const fixed = await engine.run({ name: 'softmaxFix', layer, variant: { prefix: span.prefix }, inputs });
  for (const spent of [q, k]) spent.dispose();
  return { ...fixed, v };
}

/** Sum of two streams; the caller owns it. */
export const added = async (engine: Engine, a: Tensor, b: Tensor): Promise<Tensor> =>
  (await engine.run({ name: 'addStreams', inputs: { a, b } }))['x'] as Tensor;
