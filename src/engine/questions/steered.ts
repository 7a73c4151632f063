/**
 * Steering: a vector is added to what a site says, times a coefficient, and everything after it is recomputed.
 *
 *     x ← x + c · v          x the residual stream at the place where the site is added to it
 *
 * The stream is a sum, so that adding v to the output of attention, of an MLP or of a head is adding it to the stream behind them:
 * every site is one of two places of a layer.
 */
import type { Tensor } from '../../runtime/types.js';
import { Arena } from '../core/arena.js';
import { layerBytesPerToken, pieces, planChunks } from '../core/chunks.js';
import { afterAttention } from './start-stages.js';
import { at, floats, shifted, type Runs } from '../model-run/bound-run.js';
import { makeSpan, type Span } from '../core/span.js';
import { NOTHING, walkUp, type Walk } from '../model-run/walk.js';

/** Sites that a vector can be read from and added to. */
export type SteeringKind = 'resid-pre' | 'resid-mid' | 'resid-post' | 'attention-out' | 'mlp-out' | 'z';

export interface SteeringSite {
  readonly kind: SteeringKind;
  readonly layer: number;
  /** of `z`; what is added is what the head writes into the stream, z W_O */
  readonly head?: number;
}

/** What is added to the stream of a batch. */
export interface Addition {
  readonly site: SteeringSite;
  /** [examples, length, d], zeros where nothing is added */
  readonly values: Float64Array;
  /** the first position that any of them is not zero at */
  readonly from: number;
}

interface Entry {
  readonly layer: number;
  /** `pre`: the stream entering the layer (behind the last one: the final stream); `mid`: behind its attention */
  readonly stage: 'pre' | 'mid';
}

/** Where each site is added to the stream; a new one is a line here. */
const ENTRIES: { readonly [Kind in SteeringKind]: (layer: number) => Entry } = {
  'resid-pre': (layer) => ({ layer, stage: 'pre' }),
  z: (layer) => ({ layer, stage: 'mid' }),
  'attention-out': (layer) => ({ layer, stage: 'mid' }),
  'resid-mid': (layer) => ({ layer, stage: 'mid' }),
  'mlp-out': (layer) => ({ layer: layer + 1, stage: 'pre' }),
  'resid-post': (layer) => ({ layer: layer + 1, stage: 'pre' }),
};

export interface SteeredRead {
  /** the first position that is looked at afterwards */
  readonly first: number;
  /** numbers held for each example and question beside the streams, e.g. logits */
  readonly held: number;
  /** gets the final streams [questions, examples, pos, d] of consecutive coefficients, and the place of the first of them */
  take(final: Tensor, span: Span, from: number): Promise<void>;
}

/** Adds to a cached run, once for each coefficient. Cost: at most one forward pass each, less for later layers. */
export async function steer(
  ground: Runs,
  addition: Addition,
  coefficients: readonly number[],
  read: SteeredRead,
): Promise<void> {
  const { engine, base } = ground;
  const arena = new Arena();
  const start = engine.model.config.attention === 'causal' ? Math.min(addition.from, read.first, base.length - 1) : 0;
  const examples = at(base.pre, 0).shape[1] as number;
  const tokensEach = examples * (base.length - start);
  const bytesPerToken = layerBytesPerToken(engine) + (8 * examples * read.held) / tokensEach;
  const plan = planChunks(engine, { of: 'coefficients', total: coefficients.length, tokensEach, bytesPerToken });
  const span = makeSpan(engine, start, base.length);
  try {
    let from = 0;
    for (const chunk of pieces(coefficients, plan.perChunk)) {
      const final = await finalStreams({ ground, span }, addition, chunk);
      arena.own(final);
      await read.take(final, span, from);
      arena.free(final);
      from += chunk.length;
    }
  } finally {
    span.dispose();
    arena.dispose();
  }
}

async function finalStreams(
  { ground, span }: { ground: Runs; span: Span },
  { site, values }: Addition,
  coefficients: readonly number[],
): Promise<Tensor> {
  const { engine, base } = ground;
  const { layer, stage } = ENTRIES[site.kind](site.layer);
  const arena = new Arena();
  try {
    const stream = stage === 'mid' ? at(base.mid, layer) : (base.pre[layer] ?? base.final);
    const tensor = (of: Float64Array, shape: readonly number[]): Tensor =>
      floats(ground, arena, { values: engine.precise(of), shape });
    const factors = coefficients.flatMap((coefficient) => Array<number>(span.count).fill(coefficient));
    const x = await shifted(ground, span, {
      base: stream,
      now: tensor(new Float64Array(values.length), stream.shape),
      alt: tensor(values, stream.shape),
      swap: tensor(Float64Array.from(factors), [coefficients.length, 1, span.count, 1]),
    });
    const walk: Walk = { bound: ground, span, swaps: () => Promise.resolve(NOTHING) };
    if (stage === 'mid') return await afterAttention(walk, layer, { mid: x, arena, questions: coefficients.length });
    return await walkUp(walk, layer, x);
  } finally {
    arena.dispose();
  }
}
