/** Information-flow routes: what of a reader's input comes from each sender, in one run (Ferrando & Voita 2024, arXiv:2403.00824). */
import type { Tensor } from '../../runtime/types.js';
import { withArena, type Arena } from '../core/arena.js';
import type { Engine } from '../core/engine.js';
import { learnedPositions, withCachedRun, type CachedRun } from '../model-run/prompts.js';
import type { Batch } from '../core/batches.js';
import { at, ints, mlpInputOf, refuseBehindNorm } from '../model-run/bound-run.js';

/**
 * Per example and edge, the sender's share of the reader's input on the clean prompts, mean over positions: shares
 * max(0, |y|₁ − |y − x_s|₁) of the reader's senders at each position, made to sum to 1: [example · edgeCount + edge]. Where no
 * sender carries the input, all are 0.
 *
 * Cost: one forward pass, and |y − x_s|₁ once for each sender and each place in the stream.
 */
export async function informationFlow(engine: Engine, batch: Batch): Promise<Float64Array> {
  const { universe } = engine;
  refuseBehindNorm(engine, 'a sender’s share of a stream', 'use eap-ig or exact');
  const scores = new Float64Array(batch.examples.length * universe.edgeCount);
  await withCachedRun(engine, batch, 'clean', async (base) => {
    for (const place of await proximities(engine, base)) {
      const shares = sharesOf(place, batch);
      for (const reader of place.readers)
        for (let sender = 0; sender < place.count; sender++) {
          const edge = universe.edgeBetween(sender, reader);
          for (let example = 0; example < batch.examples.length; example++)
            scores[example * universe.edgeCount + edge] = shares[example * place.count + sender]!;
        }
    }
  });
  return scores;
}

/** Shares of a place's senders, mean over positions [example · count + sender] (eq. 5 there). */
function sharesOf({ near, count }: Place, { examples, length }: Batch): Float64Array {
  const shares = new Float64Array(examples.length * count);
  for (let token = 0; token < examples.length * length; token++) {
    let total = 0;
    for (let i = token * count; i < (token + 1) * count; i++) total += near[i]!;
    if (total === 0) continue;
    const to = Math.floor(token / length) * count;
    for (let sender = 0; sender < count; sender++)
      shares[to + sender]! += near[token * count + sender]! / total / length;
  }
  return shares;
}

/** A place in the stream, and who reads there. */
interface Place {
  /** [1, tokens, d] */
  readonly stream: Tensor;
  readonly readers: readonly number[];
  /** senders upstream of the place */
  readonly count: number;
  /** max(0, |y|₁ − |y − x_s|₁) [token · count + sender] */
  readonly near: Float64Array;
}

/** Every place, in their order upwards: a sender seen at one is seen at all after it. */
const proximities = (engine: Engine, base: CachedRun): Promise<Place[]> =>
  withArena(async (arena) => {
    const places = placesOf({ engine, arena }, base);
    const blocks = await blocksOf({ engine, arena }, base);
    for (const tokens of stretches(engine, places[0]!.stream.shape[1]!))
      await compare(engine, places, { blocks, tokens });
    return places;
  });

interface On {
  readonly engine: Engine;
  readonly arena: Arena;
}

function placesOf({ engine, arena }: On, run: CachedRun): Place[] {
  const { readers: all, shape } = engine.universe;
  const { nHeads, nLayers, hasMlp } = shape;
  const places: Place[] = [];
  let first = 0;
  const add = (at: Tensor, readers: number): void => {
    const stream = arena.own(flat(engine, at));
    const count = all[first]!.senderCount;
    places.push({
      ...{ stream, count, near: new Float64Array(stream.shape[1]! * count) },
      readers: Array.from({ length: readers }, (_, i) => first + i),
    });
    first += readers;
  };
  for (let layer = 0; layer < nLayers; layer++) {
    add(at(run.pre, layer), 3 * nHeads);
    if (hasMlp) add(mlpInputOf(engine, run, layer), 1);
  }
  add(run.final, 1);
  return places;
}

/** [1, examples, length, d] → [1, tokens, d]. */
function flat({ runtime }: Engine, stream: Tensor): Tensor {
  const [, examples, length, d] = stream.shape as [number, number, number, number];
  return runtime.reshape(stream, [1, examples * length, d]);
}

/** Senders that are next to each other: the embedding or the MLP below, and the heads of a layer. */
interface Block {
  readonly layer: number;
  /** the universe's index of the first */
  readonly first: number;
  readonly count: number;
  /** what the first says, where it writes to the stream directly [1, tokens, d] */
  readonly direct: Tensor | undefined;
  /** of the heads [heads, tokens, dHead] */
  readonly z: Tensor | undefined;
}

async function blocksOf({ engine, arena }: On, base: CachedRun): Promise<Block[]> {
  const { nHeads, nLayers } = engine.universe.shape;
  const blocks: Block[] = [];
  let first = 0;
  for (let layer = 0; layer <= nLayers; layer++) {
    const stream = layer === 0 ? arena.own(await embeddingOf(engine, base)) : base.m[layer - 1];
    const direct = stream && arena.own(flat(engine, stream));
    const run = base.z[layer];
    const z = run && arena.own(await engine.run({ name: 'headRows', inputs: { z: run } }))['z'];
    const count = (direct ? 1 : 0) + (z ? nHeads : 0);
    if (count > 0) blocks.push({ layer, first, count, direct, z });
    first += count;
  }
  return blocks;
}

/** The token embedding: learned positions belong to no sender. */
async function embeddingOf(engine: Engine, base: CachedRun): Promise<Tensor> {
  const positions = await learnedPositions(engine, base.length);
  const stream = at(base.pre, 0);
  const values = Float64Array.from(await stream.read());
  for (let i = 0; i < values.length; i++) values[i]! -= positions[i % positions.length]!;
  return engine.runtime.tensor(engine.precise(values), stream.shape);
}

/** Of what the senders of a block say about the tokens taken at once: it stays in the processor's cache, which makes this several times faster. */
const BYTES_AT_ONCE = 5 * 2 ** 17;

/** 0 … total in about equal stretches. */
function stretches(engine: Engine, total: number): { from: number; to: number }[] {
  const { dModel, nHeads } = engine.model.config;
  const most = Math.max(1, Math.floor(BYTES_AT_ONCE / (4 * dModel * (nHeads + 1))));
  const count = Math.ceil(total / most);
  const edge = (i: number): number => Math.floor((i * total) / count);
  return Array.from({ length: count }, (_, i) => ({ from: edge(i), to: edge(i + 1) }));
}

/** A few tokens, and the streams there. */
interface Piece {
  readonly from: number;
  readonly size: number;
  readonly tokens: Tensor;
  /** [places, size, d] */
  readonly streams: Tensor;
  /** |y|₁ − Σ y [places, size] */
  readonly excess: ArrayLike<number>;
}

/** Fills in how near all senders come to all streams at some tokens. */
const compare = (
  engine: Engine,
  places: readonly Place[],
  { blocks, tokens: { from, to } }: { blocks: readonly Block[]; tokens: { from: number; to: number } },
): Promise<void> =>
  withArena(async (arena) => {
    const size = to - from;
    const chosen = Array.from({ length: size }, (_, token) => from + token);
    const tokens = ints({ engine }, arena, chosen);
    const inputs = Object.fromEntries(places.map(({ stream }, place) => [`y${place}`, stream]));
    const variant = { count: places.length };
    const picked = arena.own(await engine.run({ name: 'pickTokens', variant, inputs: { ...inputs, tokens } }));
    const excess = await picked['excess']!.read();
    for (const block of blocks)
      await approach(engine, { places, piece: { from, size, tokens, streams: picked['streams']!, excess } }, block);
  });

/** The same of a block's senders. */
async function approach(engine: Engine, to: { places: readonly Place[]; piece: Piece }, block: Block): Promise<void> {
  const { places, piece } = to;
  const seenAt = ({ count }: Place): number => Math.max(0, Math.min(block.count, count - block.first));
  const first = places.findIndex((place) => seenAt(place) > 0);
  const seeing = places.slice(first);
  const { layer, direct, z } = block;
  const all = seeing.filter((place) => seenAt(place) === block.count).length;
  const variant = { direct: !!direct, heads: !!z, early: seeing.length - all, places: all };
  await withArena(async (arena) => {
    const streams = arena.own(engine.runtime.rows(piece.streams, first, places.length));
    const inputs = { ...(direct && { direct }), ...(z && { z }), tokens: piece.tokens, streams };
    const { distances } = arena.own(await engine.run({ name: 'distances', layer, variant, inputs }));
    const away = await distances!.read();
    let row = 0;
    seeing.forEach((place, at) => {
      const seen = seenAt(place);
      for (let token = 0; token < piece.size; token++) {
        const excess = piece.excess[(first + at) * piece.size + token]!;
        const own = (piece.from + token) * place.count + block.first;
        for (let i = 0; i < seen; i++)
          place.near[own + i] = Math.max(0, excess - away[(row + i) * piece.size + token]!);
      }
      row += seen;
    });
  });
}
