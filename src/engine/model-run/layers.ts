/** One layer's steps, with the inputs each needs; the caller owns the results. */
import type { Tensor, Tensors } from '../../runtime/types.js';
import type { Engine } from '../core/engine.js';
import type { AttentionSite } from '../kernels/forward.js';
import type { Span } from '../core/span.js';

export type HeadTensors = Readonly<Record<'q' | 'k' | 'v', Tensor>>;

/** Where a step runs: the layer and the positions. */
export interface Place {
  readonly engine: Engine;
  readonly layer: number;
  readonly span: Span;
}

export async function project({ engine, layer, span }: Place, x: Tensor): Promise<HeadTensors> {
  return await engine.run({ name: 'project', layer, inputs: { x, ...span.rotary } });
}

/** Keys and values of the positions before the span, from a cached run. */
export const prefixInputs = (span: Span, cached: HeadTensors | null): Tensors =>
  span.prefix && cached
    ? { 'k.cached': cached.k, 'v.cached': cached.v, 'prefix.positions': span.lookup['prefix.positions'] as Tensor }
    : {};

export interface Swaps {
  readonly sites: readonly AttentionSite[];
  /** `{site}.alt` and `{site}.swap` for each site, and `positions` / `key.positions` where they need them */
  readonly inputs: Tensors;
  /** added to the scores [questions, 1, heads, pos, keys]: very negative where attention is knocked out */
  readonly knockout?: Tensor;
}

const NO_SWAPS: Swaps = { sites: [], inputs: {} };

export async function attend(
  { engine, layer, span }: Place,
  heads: HeadTensors,
  options: { cached: HeadTensors | null; swaps?: Swaps; wanted?: readonly string[] },
): Promise<Tensors> {
  const { cached, swaps = NO_SWAPS, wanted = ['z'] } = options;
  const { q, k, v } = heads;
  const { knockout } = swaps;
  const inputs = {
    q,
    k,
    v,
    ...span.mask(layer),
    ...prefixInputs(span, cached),
    ...swaps.inputs,
    ...(knockout && { knockout }),
  };
  const entries = (swaps.inputs['pattern.swap']?.shape.at(-1) ?? 1) > 1;
  const variant = {
    ...{ prefix: span.prefix, swaps: swaps.sites },
    ...(entries && { entries }),
    ...(knockout && { knockout: true }),
  };
  return engine.run({ name: 'attend', layer, variant, inputs, wanted });
}

export async function output(
  { engine, layer }: Pick<Place, 'engine' | 'layer'>,
  x: Tensor,
  z: Tensor,
): Promise<Tensor> {
  return (await engine.run({ name: 'output', layer, inputs: { x, z } }))['mid'] as Tensor;
}

/** The MLP of a layer; `wanted` of m, post, hidden, gate. */
export async function feedForward(
  { engine, layer }: Pick<Place, 'engine' | 'layer'>,
  inputs: { x: Tensor; onto: Tensor },
  wanted: readonly string[],
): Promise<Tensors> {
  return engine.run({ name: 'feedForward', layer, inputs: { x: inputs.x, onto: inputs.onto }, wanted });
}
