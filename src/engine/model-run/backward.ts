/** A forward pass that keeps what the way back needs, and the steps back through one layer. */
import { mlpReads, normsWrites } from '../../model/blocks.js';
import type { Tensor, Tensors } from '../../runtime/types.js';
import type { Arena } from '../core/arena.js';
import type { Engine } from '../core/engine.js';
import { forwardBlocks, type Attended, type ForwardVisitor } from './block-forward.js';
import { prefixInputs, type HeadTensors } from './layers.js';
import { preActivationsOf } from './neurons.js';
import type { Rules } from '../kernels/attribution.js';
import { tokensOf } from './prompts.js';
import { at } from './bound-run.js';
import type { Span } from '../core/span.js';

/** What one layer's forward pass leaves for the backward pass. */
export interface Saved {
  readonly pre: Tensor;
  readonly mid: Tensor;
  readonly heads: HeadTensors;
  /** kept where a norm follows attention, whose derivative depends on it */
  readonly z?: Tensor | undefined;
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
  const { nLayers } = engine.model.config;
  const saved: Saved[] = [];
  const keeps = savingVisitor(engine, { arena, take: (one) => saved.push(one) });
  const final = await forwardBlocks(pass, { x: arena.own(entering), from: first }, { cached, ...keeps });
  engine.passed('forward', { tokens: tokensOf(final), layers: nLayers - first, span });
  return { saved, final };
}

/** Keeps, as long as the arena, what the way back needs of every block. */
export function savingVisitor(
  engine: Engine,
  { arena, take }: { arena: Arena; take: (saved: Saved) => void },
): ForwardVisitor {
  const wanted = preActivationsOf(engine);
  const normed = normsWrites(engine.arithmetic);
  let attended: Attended | null = null;
  return {
    wanted,
    attended: (made, keep) => {
      attended = made;
      for (const one of Object.values({ ...made.heads, ...(normed ? { z: made.z } : {}) })) arena.own(keep(one));
      arena.own(made.mid);
    },
    passed: ({ pre, mid, post, mlp }, keep) => {
      arena.own(post);
      for (const name of wanted) if (mlp[name]) arena.own(keep(mlp[name]));
      if (attended && pre) take({ pre, mid, heads: attended.heads, ...(normed ? { z: attended.z } : {}), mlp });
      attended = null;
    },
  };
}

/** A layer's saved tensors, and the gradient that reaches them. */
export interface At {
  readonly saved: Saved;
  readonly gradient: Tensor;
}

/** The gradient at the stream that the MLP reads, from that at the stream after it. */
export async function gradientThroughMlp(
  { engine, rules }: Pass,
  layer: number,
  { saved, gradient }: At,
): Promise<Tensor> {
  const gate = saved.mlp['gate'];
  const x = saved[mlpReads(engine.model.config) ?? 'mid'];
  const inputs = { x, hidden: saved.mlp['hidden'] as Tensor, gradient, ...(gate ? { gate } : {}) };
  const result = rules
    ? await engine.run({ name: 'mlpPropagation', layer, variant: rules.mlp, inputs })
    : await engine.run({ name: 'mlpGradient', layer, inputs });
  return result['x'] as Tensor;
}

/** The gradient at what the heads put out, z, from that at the stream behind attention. */
export async function gradientAtOutputs(
  { engine, rules }: Pick<Pass, 'engine' | 'rules'>,
  layer: number,
  { saved, gradient }: { saved: Pick<Saved, 'z'> | null; gradient: Tensor },
): Promise<Tensor> {
  const variant = { frozenNorm: rules?.frozenNorms ?? false };
  const inputs = { gradient, ...(saved?.z && { z: saved.z }) };
  return (await engine.run({ name: 'outputGradient', layer, variant, inputs }))['z'] as Tensor;
}

/** The gradients at the layer's q, k and v. */
export async function gradientThroughHeads(pass: Pass, layer: number, from: At): Promise<HeadTensors> {
  const { engine, span, cached, rules, toward } = pass;
  const z = await gradientAtOutputs(pass, layer, from);
  const { q, k, v } = from.saved.heads;
  const inputs = {
    q,
    k,
    v,
    gradient: z,
    ...span.mask(layer),
    ...prefixInputs(span, at(cached, layer) ?? null),
  };
  const { prefix } = span;
  const linear = rules
    ? await engine.run({ name: 'attendPropagation', layer, variant: { prefix, ...rules.attention }, inputs })
    : await engine.run({ name: 'attendGradient', layer, variant: { prefix }, inputs });
  const result = toward ? await softmaxFixed(pass, layer, { saved: from.saved.heads, atZ: z, linear }) : linear;
  z.dispose();
  return result;
}

/** The gradients at q and k, as far as the alternative rather than at the point. */
async function softmaxFixed(
  { engine, span, cached, toward }: Pass,
  layer: number,
  of: { saved: HeadTensors; atZ: Tensor; linear: Tensors },
): Promise<Tensors> {
  const { q, k, v } = of.linear as HeadTensors;
  const alternative = at(toward as readonly HeadTensors[], layer);
  const inputs = {
    ...of.saved,
    ...{ gradient: of.atZ, 'q.gradient': q, 'k.gradient': k, 'q.alt': alternative.q, 'k.alt': alternative.k },
    ...{ ...span.mask(layer), ...prefixInputs(span, at(cached, layer) ?? null), positions: span.positions },
  };
  const fixed = await engine.run({ name: 'softmaxFix', layer, variant: { prefix: span.prefix }, inputs });
  for (const spent of [q, k]) spent.dispose();
  return { ...fixed, v };
}
