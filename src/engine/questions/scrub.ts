/**
 * Runs put together from several data points, as causal scrubbing does it (Chan et al. 2022): every reader of a node reads the
 * stream of one data point, but for the senders that it is given, which say what they say in other data points or in runs put
 * together likewise.
 *
 *     x_r = stream(x) at r + Σ over given senders s of (what s is given to say − out_s(x))
 */
import type { Universe } from '../../circuit/types.js';
import type { MetricKey } from '../../task/types.js';
import type { Tensor } from '../../runtime/types.js';
import { withArena, type Arena } from '../core/arena.js';
import { layerBytesPerToken, planChunks } from '../core/chunks.js';
import type { Engine } from '../core/engine.js';
import { makeJudge } from '../judging/judge.js';
import type { Judge } from '../core/judge.js';
import { feedForward } from '../model-run/layers.js';
import { withCachedRun, type CachedRun } from '../model-run/prompts.js';
import type { Batch } from '../core/batches.js';
import { at, mlpInputOf, refuseBehindNorm } from '../model-run/bound-run.js';
import { makeSpan, type Span } from '../core/span.js';

/** One data point of the pool for each example, [example]. */
export type Rows = Int32Array;

/** What a reader reads. */
export interface Read {
  /** where everything that is not given comes from */
  readonly rows: Rows;
  readonly given: readonly Given[];
}

export interface Given {
  /** index in the universe */
  readonly sender: number;
  /** [pos] where it is given; null: at all positions. A sender given twice is given at different positions. */
  readonly positions: readonly number[] | null;
  readonly said: Said;
}

/** What a sender says: as in a data point, or computed from what its readers (q, k, v of a head; one of an MLP) read. */
export type Said = { readonly rows: Rows } | { readonly reads: readonly Read[] };

/** The data points of a batch, all run and kept; every one of them is an example, too. */
export interface ScrubPool {
  readonly batch: Batch;
  /** the metric of each example where its logits read this */
  metric(read: Read): Promise<Float64Array>;
}

/** Runs the clean prompts of a batch, hands over the pool, gives everything back. Cost: one forward pass. */
export async function withScrubPool<T>(
  engine: Engine,
  batch: Batch,
  metric: MetricKey,
  work: (pool: ScrubPool) => Promise<T>,
): Promise<T> {
  refuseBehindNorm(engine, 'a stream whose heads come from several data points', 'use path patching or circuits');
  return withCachedRun(engine, batch, 'clean', async (run) => {
    const span = makeSpan(engine, 0, batch.length);
    const parts: Part[] = [];
    try {
      for (const piece of piecesOf(engine, batch))
        parts.push(await openPart({ engine, run, span }, { batch, metric, ...piece }));
      return await work({ batch, metric: (read) => metricOf(parts, read) });
    } finally {
      for (const { judge } of parts) judge.dispose();
      span.dispose();
    }
  });
}

/** Bytes that every token of a pool keeps: streams, q, k, v and z, MLP outputs. */
export function poolBytesPerToken({ model: { config } }: Engine): number {
  const { nLayers, dModel, nHeads, dHead, dMlp } = config;
  const streams = dMlp > 0 ? 3 : 1; // without MLPs, the stream after attention is the next layer's
  return 4 * (nLayers * (streams * dModel + 4 * nHeads * dHead) + dModel);
}

/** Examples that are run at once. */
function piecesOf(engine: Engine, { examples, length }: Batch): Piece[] {
  const bytesPerToken = 2 * layerBytesPerToken(engine);
  const work = { of: 'examples', total: examples.length, tokensEach: length, bytesPerToken };
  const { perChunk } = planChunks(engine, work);
  const count = Math.ceil(examples.length / perChunk);
  return Array.from({ length: count }, (_, i) => ({
    from: i * perChunk,
    to: Math.min(examples.length, (i + 1) * perChunk),
  }));
}

interface Pooled {
  readonly engine: Engine;
  readonly run: CachedRun;
  readonly span: Span;
}

interface Piece {
  readonly from: number;
  readonly to: number;
}

interface Part extends Pooled, Piece {
  readonly judge: Judge;
}

async function openPart(pooled: Pooled, of: Piece & { batch: Batch; metric: MetricKey }): Promise<Part> {
  const { batch, metric, from, to } = of;
  const { engine, run } = pooled;
  const examples = batch.examples.slice(from, to);
  const rows = Int32Array.from(batch.examples, (_, i) => i);
  const final = await pick({ ...pooled, from, to }, run.final, rows);
  try {
    const judge = await makeJudge(engine, { examples, length: batch.length }, { metric, clean: { ...run, final } });
    return { ...pooled, from, to, judge };
  } finally {
    final.dispose();
  }
}

async function metricOf(parts: readonly Part[], read: Read): Promise<Float64Array> {
  const values: number[] = [];
  for (const part of parts) {
    const final = await readStream(part, part.run.final, read);
    values.push(...(await part.judge.value(final, part.span)));
    final.dispose();
  }
  return Float64Array.from(values);
}

type Where = Omit<Part, 'judge'>;

/** [1, examples, pos, d] */
const readStream = (part: Where, pool: Tensor, { rows, given }: Read): Promise<Tensor> =>
  withArena(async (arena) => {
    let x = arena.own(await pick(part, pool, rows));
    for (const one of given) {
      const next = arena.own(await give(part, x, { ...one, rows }));
      arena.free(x);
      x = next;
    }
    return arena.release(x);
  });

/** A stream of the pool, of each example's row. */
const pick = ({ engine, from, to }: Pick<Where, 'engine' | 'from' | 'to'>, pool: Tensor, rows: Rows): Promise<Tensor> =>
  withArena(async (arena) => {
    const inputs = { pool, rows: ints(engine, arena, rows.subarray(from, to)) };
    return (await engine.run({ name: 'pickStream', inputs }))['picked'] as Tensor;
  });

/** One head's q, k, v or z of the pool, of each example's row: [1, examples, pos, dHead]. */
const pickHead = ({ engine, from, to }: Where, pool: Tensor, of: { head: number; rows: Rows }): Promise<Tensor> =>
  withArena(async (arena) => {
    const rows = ints(engine, arena, of.rows.subarray(from, to));
    const inputs = { pool, rows, head: ints(engine, arena, [of.head]) };
    return (await engine.run({ name: 'pickHead', inputs }))['picked'] as Tensor;
  });

const ints = (engine: Engine, arena: Arena, values: ArrayLike<number>): Tensor =>
  arena.own(engine.runtime.tensor(Int32Array.from(values), [values.length], 'int'));

/** A stream with what one sender says in it exchanged. */
const give = (part: Where, x: Tensor, { sender, positions, said, rows }: Given & { rows: Rows }): Promise<Tensor> =>
  withArena(async (arena) => {
    const { engine, span, from, to } = part;
    const { kind, layer, head } = at(engine.universe.senders, sender);
    const { pool, say, kernel } = SENDERS[kind];
    const own = { layer, head };
    const inputs = {
      x,
      said: arena.own(await say(part, own, said)),
      pool: pool(part.run, layer),
      rows: ints(engine, arena, rows.subarray(from, to)),
      head: ints(engine, arena, [head]),
      mask: maskOf(engine, arena, { positions, length: span.length }),
    };
    return (await engine.run({ name: kernel, layer: Math.max(0, layer), inputs }))['x'] as Tensor;
  });

function maskOf(engine: Engine, arena: Arena, of: { positions: readonly number[] | null; length: number }): Tensor {
  const mask = new Float32Array(of.length).fill(of.positions === null ? 1 : 0);
  for (const position of of.positions ?? []) mask[position] = 1;
  return arena.own(engine.runtime.tensor(mask, [1, 1, of.length, 1]));
}

interface Place {
  readonly layer: number;
  readonly head: number;
}

interface SenderKind {
  /** where the pool's cached run holds what the sender says */
  readonly pool: (run: CachedRun, layer: number) => Tensor;
  readonly say: (part: Where, place: Place, said: Said) => Promise<Tensor>;
  readonly kernel: 'giveStream' | 'giveHead';
}

/** The embedding's place is taken by the stream entering the model: learned positions cancel in a difference. */
const SENDERS: { readonly [Kind in Universe['senders'][number]['kind']]: SenderKind } = {
  input: {
    pool: (run) => at(run.pre, 0),
    say: (part, _, said) => pick(part, at(part.run.pre, 0), ownRows(said)),
    kernel: 'giveStream',
  },
  mlp: {
    pool: (run, layer) => at(run.m, layer),
    say: (part, { layer }, said) =>
      'rows' in said ? pick(part, at(part.run.m, layer), said.rows) : mlpSays(part, layer, at(said.reads, 0)),
    kernel: 'giveStream',
  },
  head: {
    pool: (run, layer) => at(run.z, layer),
    say: (part, place, said) =>
      'rows' in said
        ? pickHead(part, at(part.run.z, place.layer), { head: place.head, rows: said.rows })
        : headSays(part, place, said.reads),
    kernel: 'giveHead',
  },
};

/** The embedding reads nothing. */
const ownRows = (said: Said): Rows => (said as { rows: Rows }).rows;

const mlpSays = (part: Where, layer: number, read: Read): Promise<Tensor> =>
  withArena(async (arena) => {
    const { engine, run } = part;
    const x = arena.own(await readStream(part, mlpInputOf(engine, run, layer), read));
    count(part, 'mlp');
    return (await feedForward({ engine, layer }, { x, onto: x }, ['m']))['m'] as Tensor;
  });

const ROLES = ['q', 'k', 'v'] as const;

/** z of one head, [1, examples, pos, dHead]. */
const headSays = (part: Where, { layer, head }: Place, reads: readonly Read[]): Promise<Tensor> =>
  withArena(async (arena) => {
    const { engine, run, span } = part;
    const inputs: Record<string, Tensor> = { ...span.mask(layer) };
    for (const [i, role] of ROLES.entries()) {
      const read = at(reads, i);
      inputs[role] = arena.own(
        read.given.length === 0
          ? await pickHead(part, at(run.heads, layer)[role], { head, rows: read.rows })
          : await readByHead(part, { layer, head, role: i }, read),
      );
    }
    count(part, 'head');
    return (await engine.run({ name: 'attendHead', layer, inputs }))['z'] as Tensor;
  });

const readByHead = (part: Where, of: Place & { role: number }, read: Read): Promise<Tensor> =>
  withArena(async (arena) => {
    const { engine, run, span } = part;
    const x = arena.own(await readStream(part, at(run.pre, of.layer), read));
    const role = ints(engine, arena, [of.role * engine.model.config.nHeads + of.head]);
    const inputs = { x, role, ...span.rotary };
    const variant = { turned: of.role < 2 };
    return (await engine.run({ name: 'readHead', layer: of.layer, variant, inputs }))['read'] as Tensor;
  });

/** What share of a forward pass a head or an MLP is, by the size of its weights. */
export function shareOf({ model: { config } }: Engine, kind: 'head' | 'mlp'): number {
  const { dModel, dHead, dMlp, gatedMlp, nHeads, nLayers } = config;
  const weights = { head: 4 * dModel * dHead, mlp: (gatedMlp ? 3 : 2) * dModel * dMlp };
  return weights[kind] / (nLayers * (nHeads * weights.head + weights.mlp));
}

function count({ engine, from, to, span }: Where, kind: 'head' | 'mlp'): void {
  const layers = engine.model.config.nLayers * shareOf(engine, kind);
  engine.passed('forward', { tokens: (to - from) * span.length, layers, span });
}
