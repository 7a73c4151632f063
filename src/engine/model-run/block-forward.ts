/**
 * The forward pass through a block, for every pass that there is. What is replaced on the way and what is kept of it is said by a
 * visitor; what a block is, by its topology (`model/block.ts`).
 */
import { mlpReads } from '../../model/blocks.js';
import type { Tensor, Tensors } from '../../runtime/types.js';
import { withArena, type Arena } from '../core/arena.js';
import type { Engine } from '../core/engine.js';
import type { Span } from '../core/span.js';
import { attend, feedForward, output, project, type HeadTensors, type Place, type Swaps } from './layers.js';

/** The visitor owns the tensor from now on; what it does not keep is given back when its half of the block is done. */
type Keep = (tensor: Tensor) => Tensor;

/** What the first half of a block has made; `mid`, the stream it leaves, is the visitor's in any case. */
export interface Attended {
  readonly heads: HeadTensors;
  readonly z: Tensor;
  readonly mid: Tensor;
}

/** What the whole block has made; `post`, the stream it leaves, is the visitor's in any case, and without an MLP it is `mid`. */
interface Passed {
  /** null where a pass began behind attention */
  readonly pre: Tensor | null;
  readonly mid: Tensor;
  readonly post: Tensor;
  readonly mlp: Tensors;
}

/** What a pass does otherwise than the model does by itself, and what it keeps. */
export interface ForwardVisitor {
  /** per layer, keys and values of the positions before the span */
  readonly cached?: readonly HeadTensors[];
  /** sites inside attention that are replaced */
  swaps?(layer: number): Promise<Swaps>;
  /** queries, keys and values with some of them replaced; what is put in stays the visitor's */
  heads?(computed: HeadTensors): Promise<HeadTensors>;
  /** what the heads put out instead of what they make of their input; it stays the visitor's */
  z?(layer: number): Tensor;
  /** the stream after attention, replaced in part; takes over the one it is given */
  mid?(layer: number, mid: Tensor): Promise<Tensor>;
  /** the MLP's outputs that are wanted beside `post` */
  readonly wanted?: readonly string[];
  /** the MLP with its output replaced: `post`, and what is wanted */
  feedForward?(place: Place, read: { x: Tensor; onto: Tensor }): Promise<Tensors>;
  attended?(made: Attended, keep: Keep): void;
  passed?(made: Passed, keep: Keep): void;
}

/** x [questions, examples, pos, d] entering layer `from` → the stream after the last layer. */
export async function forwardBlocks(
  { engine, span }: { engine: Engine; span: Span },
  { x, from = 0 }: { x: Tensor; from?: number },
  visitor: ForwardVisitor,
): Promise<Tensor> {
  let stream = x;
  for (let layer = from; layer < engine.model.config.nLayers; layer++)
    stream = await forwardBlock({ engine, layer, span }, stream, visitor);
  return stream;
}

/** The stream entering a block → the stream after it. */
export async function forwardBlock(place: Place, pre: Tensor, visitor: ForwardVisitor): Promise<Tensor> {
  return mlpHalf(place, { pre, mid: await attentionHalf(place, pre, visitor) }, visitor);
}

/** The stream entering a block → the stream after its attention. */
export function attentionHalf(place: Place, pre: Tensor, visitor: ForwardVisitor): Promise<Tensor> {
  const { layer } = place;
  return withArena(async (arena) => {
    const computed = arena.own({ ...(await project(place, pre)) });
    const heads = visitor.heads ? await visitor.heads(computed) : computed;
    const z = visitor.z ? visitor.z(layer) : await outputsOf(place, heads, { visitor, arena });
    const written = await output(place, pre, z);
    const mid = visitor.mid ? await visitor.mid(layer, written) : written;
    visitor.attended?.({ heads, z, mid }, (tensor) => arena.release(tensor));
    return mid;
  });
}

/** What the heads put out, as long as the arena. */
async function outputsOf(
  place: Place,
  heads: HeadTensors,
  { visitor, arena }: { visitor: ForwardVisitor; arena: Arena },
): Promise<Tensor> {
  const swaps = await visitor.swaps?.(place.layer);
  const options = { cached: visitor.cached?.[place.layer] ?? null, ...(swaps && { swaps }) };
  const { z } = arena.own(await attend(place, heads, options));
  return z as Tensor;
}

/** The streams of a block → the stream after its MLP, or after attention where it has none. */
export function mlpHalf(
  place: Place,
  streams: { pre: Tensor | null; mid: Tensor },
  visitor: ForwardVisitor,
): Promise<Tensor> {
  const reads = mlpReads(place.engine.model.config);
  const { wanted = [] } = visitor;
  return withArena(async (arena) => {
    const keep: Keep = (tensor) => arena.release(tensor);
    if (reads === null) {
      visitor.passed?.({ ...streams, post: streams.mid, mlp: {} }, keep);
      return streams.mid;
    }
    const read = { x: streams[reads] as Tensor, onto: streams.mid };
    const made = visitor.feedForward?.(place, read) ?? feedForward(place, read, ['post', ...wanted]);
    const mlp = arena.own(await made);
    const post = arena.release(mlp['post'] as Tensor);
    visitor.passed?.({ ...streams, post, mlp }, keep);
    return post;
  });
}
