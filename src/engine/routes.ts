/** Information-flow routes: what of a reader's input comes from each sender, in one run (Ferrando & Voita 2024, arXiv:2403.00824). */
import type { Tensor } from '../runtime/types.js';
import { Arena } from './arena.js';
import type { Engine } from './engine.js';
import { learnedPositions, withCachedRun, type Batch, type CachedRun } from './prompts.js';
import { at, mlpInputOf } from './setting.js';
import { makeSpan } from './span.js';

/**
 * Per example and edge, the sender's share of the reader's input on the clean prompts, mean over positions: shares
 * max(0, |y|₁ − |y − x_s|₁) of the reader's senders at each position, made to sum to 1: [example · edgeCount + edge]. Where no
 * sender carries the input, all are 0.
 *
 * Cost: one forward pass, and |y − x_s|₁ once for each sender and each place in the stream.
 */
export async function informationFlow(engine: Engine, batch: Batch): Promise<Float64Array> {
  const { universe } = engine;
  const examples = batch.examples.length;
  const scores = new Float64Array(examples * universe.edgeCount);
  await withCachedRun(engine, batch, 'clean', async (base) => {
    const list = await Promise.all(places(engine, base).map((place) => open(engine, place)));
    const shares = await sharesOf(engine, await outputsOf(engine, base), {
      places: list,
      examples,
      length: batch.length,
    });
    list.forEach(({ readers }, place) =>
      shares[place]!.forEach((share, i) => {
        const count = list[place]!.count;
        const [example, sender] = [Math.floor(i / count), i % count];
        for (const reader of readers)
          scores[example * universe.edgeCount + universe.edgeBetween(sender, reader)] = share;
      }),
    );
  });
  return scores;
}

type Values = Float32Array | Float64Array;

/** What several senders in a row say [examples, pos, senders, d]. */
interface Said {
  readonly count: number;
  readonly values: Values;
}

/** What every sender says, in the universe's order. */
async function outputsOf(engine: Engine, base: CachedRun): Promise<Said[]> {
  const span = makeSpan(engine, 0, base.length);
  const arena = new Arena();
  try {
    const { nHeads } = engine.universe.shape;
    const said = [await embeddingOf(engine, base)];
    for (const [layer, z] of base.z.entries()) {
      const size = z.shape.reduce((a, b) => a * b, 1);
      const nothing = arena.own(engine.runtime.tensor(engine.precise(new Float64Array(size)), z.shape));
      const inputs = { now: nothing, alt: z, positions: span.positions };
      const variant = { byToken: true };
      const heads = arena.own(await engine.run({ name: 'headDifferences', layer, variant, inputs }))['difference'];
      said.push({ count: nHeads, values: (await (heads as Tensor).read()) as Values });
      arena.free(nothing, heads);
      const m = base.m[layer];
      if (m) said.push({ count: 1, values: (await m.read()) as Values });
    }
    return said;
  } finally {
    arena.dispose();
    span.dispose();
  }
}

/** The token embedding: learned positions belong to no sender. */
async function embeddingOf(engine: Engine, base: CachedRun): Promise<Said> {
  const positions = await learnedPositions(engine, base.length);
  const stream = (await at(base.pre, 0).read()) as Values;
  return { count: 1, values: stream.map((x, i) => x - (positions[i % positions.length] as number)) };
}

/** A place in the stream, and who reads there. */
interface Place {
  readonly stream: Tensor;
  readonly readers: readonly number[];
}

function places(engine: Engine, run: CachedRun): Place[] {
  const { nHeads, nLayers, hasMlp } = engine.universe.shape;
  const perLayer = 3 * nHeads + (hasMlp ? 1 : 0);
  const layers = Array.from({ length: nLayers }, (_, layer) => layer);
  const inLayer = (layer: number): Place[] => [
    { stream: at(run.pre, layer), readers: Array.from({ length: 3 * nHeads }, (_, i) => layer * perLayer + i) },
    ...(hasMlp ? [{ stream: mlpInputOf(engine, run, layer), readers: [layer * perLayer + 3 * nHeads] }] : []),
  ];
  return [...layers.flatMap(inLayer), { stream: run.final, readers: [nLayers * perLayer] }];
}

/** Of what the senders of the tokens taken at once say: it stays in the processor's cache, which makes this several times faster. */
const BYTES_AT_ONCE = 2 ** 21;

interface OpenPlace {
  /** [examples · pos · d] */
  readonly y: Values;
  readonly readers: readonly number[];
  /** senders upstream of the place */
  readonly count: number;
}

const open = async ({ universe }: Engine, { stream, readers }: Place): Promise<OpenPlace> => ({
  y: (await stream.read()) as Values,
  readers,
  count: universe.readers[readers[0]!]!.senderCount,
});

/** For every place, its senders' shares, mean over positions [examples, count]. */
async function sharesOf(
  engine: Engine,
  outputs: readonly Said[],
  of: { places: readonly OpenPlace[]; examples: number; length: number },
): Promise<Float64Array[]> {
  const { places, examples, length } = of;
  const counts = places.map(({ count }) => count);
  const shares = counts.map((count) => new Float64Array(examples * count));
  const streams = places.map(({ y }) => ({ count: 1, values: y }));
  const atOnce = Math.max(
    1,
    Math.floor(BYTES_AT_ONCE / (4 * engine.model.config.dModel * engine.universe.senders.length)),
  );
  for (let first = 0; first < examples * length; first += atOnce) {
    const tokens = Math.min(atOnce, examples * length - first);
    const inputs = {
      outputs: rowsOf(engine, outputs, { first, tokens }),
      streams: rowsOf(engine, streams, { first, tokens }),
    };
    const { distances, norms } = await engine.run({ name: 'distances', variant: { counts }, inputs });
    const [away, norm] = [await distances!.read(), await norms!.read()];
    for (const spent of [...Object.values(inputs), distances!, norms!]) spent.dispose();
    let at = 0;
    for (let token = first; token < first + tokens; token++)
      counts.forEach((count, place) => {
        const own = Math.floor(token / length) * count;
        const near = { norm: norm[(token - first) * counts.length + place]!, away: away.subarray(at, at + count) };
        addShares(shares[place]!.subarray(own, own + count), near, 1 / length);
        at += count;
      });
  }
  return shares;
}

/** The values of a few tokens side by side [tokens, Σ counts, d]. */
function rowsOf(engine: Engine, parts: readonly Said[], { first, tokens }: { first: number; tokens: number }): Tensor {
  const { dModel } = engine.model.config;
  const total = parts.reduce((sum, { count }) => sum + count, 0);
  const size = tokens * total * dModel;
  const rows = engine.runtime.info.precision === 'float64' ? new Float64Array(size) : new Float32Array(size);
  for (let token = 0; token < tokens; token++) {
    let to = token * total * dModel;
    for (const { count, values } of parts) {
      const width = count * dModel;
      rows.set(values.subarray((first + token) * width, (first + token + 1) * width), to);
      to += width;
    }
  }
  return engine.runtime.tensor(rows, [tokens, total, dModel]);
}

/** Adds weight · max(0, |y|₁ − |y − x_s|₁), made to sum to the weight (eq. 5 there). */
function addShares(
  shares: Float64Array,
  { norm, away }: { norm: number; away: ArrayLike<number> },
  weight: number,
): void {
  let total = 0;
  for (let sender = 0; sender < shares.length; sender++) total += Math.max(0, norm - away[sender]!);
  if (total === 0) return;
  for (let sender = 0; sender < shares.length; sender++)
    shares[sender]! += (weight * Math.max(0, norm - away[sender]!)) / total;
}
