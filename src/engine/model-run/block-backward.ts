/** The way back through a block, for every backward pass that there is: a visitor scores what is reached and says how far to go. */
import { mlpReads } from '../../model/blocks.js';
import type { Tensor } from '../../runtime/types.js';
import { withArena } from '../core/arena.js';
import type { Engine } from '../core/engine.js';
import { gradientAtOutputs, gradientThroughHeads, gradientThroughMlp, type Pass, type Saved } from './backward.js';
import type { HeadTensors } from './layers.js';

/** What has come back to the stream that a block's heads read, from them. */
export interface AtReaders {
  readonly saved: Saved;
  readonly heads: HeadTensors;
  /** the gradient at the stream that the MLP reads; null: there is none */
  readonly mlp: Tensor | null;
}

interface BackwardVisitor {
  /** the lowest place of the block that is asked for; default `pre`, and then there is a gradient to go on with */
  readonly lowest?: 'mid' | 'z' | 'heads' | 'pre';
  /** the gradient at the stream after attention; `keep` makes it the visitor's */
  mid?(gradient: Tensor, keep: (gradient: Tensor) => Tensor): void | Promise<void>;
  /** at what the heads put out */
  z?(gradient: Tensor): Promise<void>;
  /** at queries, keys and values */
  heads?(gradients: HeadTensors): Promise<void>;
  /** from there to the stream that the heads read; default what `projectGradient` does */
  readers?(reached: AtReaders): Promise<Tensor>;
  /** gradients at the stream after the block that do not flow through its MLP, and at its heads' writes that do not flow through the heads */
  readonly besides?: { readonly mlp: Tensor | null; readonly heads: Tensor | null };
}

interface Arriving {
  readonly saved: Saved;
  /** at the stream after the block; null: all there is comes in besides */
  readonly gradient: Tensor | null;
}

/**
 * The gradient at the stream after a block → at the stream entering it; null where nothing so low is asked for. The caller owns
 * what comes back. With g at the stream after the block and J of its halves, in the order in which they add to the stream:
 *
 *     at mid = g + [the MLP reads mid] J_mlpᵀ g        at pre = at mid + J_headsᵀ (at mid) + [the MLP reads pre] J_mlpᵀ g
 */
export async function backwardBlock(
  pass: Pass,
  layer: number,
  { saved, gradient }: Arriving,
  visitor: BackwardVisitor = {},
): Promise<Tensor | null> {
  const { engine } = pass;
  const { lowest = 'pre', besides = { mlp: null, heads: null } } = visitor;
  const reads = mlpReads(engine.model.config);
  return withArena(async (arena) => {
    const sum = async (...streams: (Tensor | null)[]): Promise<Tensor | null> => {
      const given = streams.filter((one) => one !== null);
      return given.length > 1 ? arena.own(await sumOf(engine, given)) : (given[0] ?? null);
    };
    const toMlp = reads === 'pre' ? await sum(gradient, besides.heads) : gradient;
    const asked = toMlp !== null && (reads === 'mid' || (reads === 'pre' && lowest === 'pre'));
    const mlp = asked ? arena.own(await gradientThroughMlp(pass, layer, { saved, gradient: toMlp })) : null;
    const mid = await sum(gradient, besides.mlp, reads === 'mid' ? mlp : null);
    if (mid === null) return sumOf(engine, [besides.heads, mlp].filter((one) => one !== null)); // prettier-ignore
    await visitor.mid?.(mid, (one) => arena.release(one));
    if (visitor.z) await visitor.z(arena.own(await gradientAtOutputs(pass, layer, { saved, gradient: mid })));
    if (lowest === 'mid' || lowest === 'z') return null;
    const heads = arena.own({ ...(await gradientThroughHeads(pass, layer, { saved, gradient: mid })) });
    await visitor.heads?.(heads);
    if (lowest === 'heads') return null;
    const readers = visitor.readers ?? ((reached) => throughProjection(pass, layer, reached));
    const through = arena.own(await readers({ saved, heads, mlp }));
    return sumOf(
      engine,
      [mid, besides.heads, through, reads === 'pre' ? mlp : null].filter((one) => one !== null),
    );
  });
}

/** The gradients at queries, keys and values → at the stream that the heads read; the caller owns it. */
export async function throughProjection(
  { engine, span, rules }: Pass,
  layer: number,
  { saved, heads }: Pick<AtReaders, 'saved' | 'heads'>,
): Promise<Tensor> {
  const inputs = { x: saved.pre, q: heads.q, k: heads.k, v: heads.v, ...span.rotary };
  const variant = { frozenNorm: rules?.frozenNorms ?? false };
  return (await engine.run({ name: 'projectGradient', layer, variant, inputs }))['x'] as Tensor;
}

/** The sum of streams; the caller owns it. */
export async function sumOf(engine: Engine, streams: readonly Tensor[]): Promise<Tensor> {
  const [a, b, ...others] = streams as [Tensor, Tensor?, ...Tensor[]];
  if (b && others.length === 0) return (await engine.run({ name: 'addStreams', inputs: { a, b } }))['x'] as Tensor;
  const inputs = Object.fromEntries(streams.map((x, i) => [`x${i}`, x]));
  return (await engine.run({ name: 'sumStreams', variant: { count: streams.length }, inputs }))['x'] as Tensor;
}
