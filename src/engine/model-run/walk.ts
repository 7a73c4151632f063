/** From somewhere in the model up to its last layer, recomputing everything, with sites replaced on the way. */
import type { Tensor } from '../../runtime/types.js';
import type { Arena } from '../core/arena.js';
import { attentionHalf, forwardBlock, mlpHalf, type ForwardVisitor } from './block-forward.js';
import { feedForward, type Place, type Swaps } from './layers.js';
import { preActivationsOf } from './neurons.js';
import { at, shifted, spread, type Runs } from './bound-run.js';
import type { Span } from '../core/span.js';

/** What is replaced in one layer, for a chunk of questions. */
export interface LayerSwaps {
  /** sites inside attention */
  readonly attention: Swaps;
  /** [questions, 1, pos, dMlp] of the MLP's neurons, and what they say in both runs [1, examples, length, dMlp] */
  readonly neurons: { readonly swap: Tensor; readonly now: Tensor; readonly alt: Tensor } | null;
  /** masks [questions, 1, pos, 1] of the stream after attention and of the MLP's output */
  readonly mid: Tensor | null;
  readonly mlp: Tensor | null;
  /** of the stream entering the layer; the walk's first layer has it applied already */
  readonly pre: Tensor | null;
}

export const NOTHING: LayerSwaps = {
  attention: { sites: [], inputs: {} },
  ...{ mid: null, neurons: null, mlp: null, pre: null },
};

export interface Walk {
  readonly bound: Runs;
  readonly span: Span;
  swaps(layer: number): Promise<LayerSwaps>;
}

/** x [questions, examples, pos, d] entering `layer` → the stream after the last layer; x is disposed. */
export async function walkUp(walk: Walk, layer: number, x: Tensor): Promise<Tensor> {
  const { engine } = walk.bound;
  let stream = x;
  for (let l = layer; l < engine.model.config.nLayers; l++) {
    const swaps = await walk.swaps(l);
    const entering =
      l === layer ? stream : await swapped(walk, stream, { swap: swaps.pre, alt: at(walk.bound.alternative.pre, l) });
    stream = await forwardBlock(placeOf(walk, l), entering, visitorOf(walk));
    engine.passed('forward', { tokens: tokens(stream), layers: 1, span: walk.span });
  }
  return stream;
}

const tokens = (x: Tensor): number => x.shape.slice(0, 3).reduce((a, b) => a * b, 1);

/** What is replaced on the way; what is passed is given back. */
const visitorOf = (walk: Walk): ForwardVisitor => ({
  cached: walk.bound.base.heads,
  swaps: async (layer) => (await walk.swaps(layer)).attention,
  mid: async (layer, mid) => {
    const { mid: swap } = await walk.swaps(layer);
    return swapped(walk, mid, { swap, alt: at(walk.bound.alternative.mid, layer) });
  },
  feedForward: async (place, read) => {
    const { mlp, neurons } = await walk.swaps(place.layer);
    if (!mlp && !neurons) return feedForward(place, read, ['post']);
    return { post: await plus(walk, read.onto, await replacedMlp(walk, place.layer, read)) };
  },
  passed: ({ pre, mid, post }) => {
    if (mid !== post) mid.dispose();
    if (pre !== post) pre?.dispose();
  },
});

const placeOf = ({ bound, span }: Walk, layer: number): Place => ({ engine: bound.engine, layer, span });

/** Attention with its sites replaced, then the replacement of the stream after it. */
export const attentionStep = (walk: Walk, layer: number, x: Tensor): Promise<Tensor> =>
  attentionHalf(placeOf(walk, layer), x, visitorOf(walk));

/** The MLP with its output replaced where asked; disposes the streams it is given. */
export const mlpStep = (walk: Walk, layer: number, streams: { pre: Tensor | null; mid: Tensor }): Promise<Tensor> =>
  mlpHalf(placeOf(walk, layer), streams, visitorOf(walk));

/** What an MLP in flight says with its neurons, then its output replaced where asked. */
async function replacedMlp(walk: Walk, layer: number, read: { x: Tensor; onto: Tensor }): Promise<Tensor> {
  const { engine, alternative } = walk.bound;
  const { mlp: swap, neurons } = await walk.swaps(layer);
  const { m, ...saved } = await feedForward({ engine, layer }, read, [
    'm',
    ...(neurons ? preActivationsOf(engine) : []),
  ]);
  if (!neurons) return swapped(walk, m as Tensor, { swap, alt: at(alternative.m, layer) });
  const inputs = { now: m as Tensor, ...saved, alt: neurons.alt, swap: neurons.swap, positions: walk.span.positions };
  const { x } = await engine.run({ name: 'swapNeurons', layer, inputs });
  for (const spent of [m as Tensor, ...Object.values(saved)]) spent.dispose();
  return swapped(walk, x as Tensor, { swap, alt: at(alternative.m, layer) });
}

/** What an MLP whose input did not change says: as in the base run, but for what is replaced. The caller owns it. */
export async function settledMlp(
  walk: Walk,
  layer: number,
  { questions, arena }: { questions: number; arena: Arena },
): Promise<Tensor> {
  const { bound, span } = walk;
  const { mlp, neurons } = await walk.swaps(layer);
  const [m, alt] = [at(bound.base.m, layer), at(bound.alternative.m, layer)];
  if (!neurons)
    return mlp
      ? shifted(bound, span, { base: m, now: m, alt, swap: mlp })
      : spread(bound, span, { stream: m, questions, arena });
  const inputs = { base: m, ...neurons, positions: span.positions };
  const { x } = await bound.engine.run({ name: 'shiftNeurons', layer, inputs });
  return swapped(walk, x as Tensor, { swap: mlp, alt });
}

/** a + b; disposes b. */
export async function plus({ bound }: Walk, a: Tensor, b: Tensor): Promise<Tensor> {
  const { x } = await bound.engine.run({ name: 'addStreams', inputs: { a, b } });
  b.dispose();
  return x as Tensor;
}

/** A stream in flight with part of it replaced; disposes what it replaces. */
async function swapped({ bound, span }: Walk, now: Tensor, by: { swap: Tensor | null; alt: Tensor }): Promise<Tensor> {
  if (!by.swap) return now;
  const inputs = { now, alt: by.alt, swap: by.swap, positions: span.positions };
  const { x } = await bound.engine.run({ name: 'swapStream', inputs });
  now.dispose();
  return x as Tensor;
}
