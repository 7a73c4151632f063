/**
 * Path patching (Wang et al. 2211.00593, App. B; Goldowsky-Dill et al. 2304.05969): the alternative travels along chosen paths
 * alone.
 *
 * A hop is a made-up run in which the senders S say something else, every other head says what it says in the base run, and the
 * MLPs do so too (`kept`: the direct path alone) or are recomputed (`recomputed`: all paths through MLPs as well):
 *
 *     x_r = base_r + Σ_{s ∈ S before r} (said_s − base_s) + Σ_{MLPs m before r, recomputed} (m(x_m) − base_m)
 *
 * What readers make of x_r are the values that activation patching brings into the base run: at a stop on the way, to find what
 * its nodes say to the next hop; at the last stop, with everything after it recomputed.
 */
import type { Reader } from '../../circuit/types.js';
import { invariant } from '../../errors.js';
import type { Tensor } from '../../runtime/types.js';
import { Arena } from '../core/arena.js';
import type { AttentionSite } from '../kernels/forward.js';
import { sumOf } from '../model-run/block-backward.js';
import { forwardBlocks } from '../model-run/block-forward.js';
import { attend, feedForward, type HeadTensors, type Swaps } from '../model-run/layers.js';
import { answerSites } from './answer-sites.js';
import type { Site } from './questions.js';
import { at, floats, type Alternative, type BoundRun } from '../model-run/bound-run.js';
import { makeSpan, type Span } from '../core/span.js';

/** What MLPs that are not senders do on the way of a hop. */
export type MlpsOnTheWay = 'kept' | 'recomputed';

/** Paths from one set of senders; senders and readers are indices of the universe. */
export interface PathQuestions {
  readonly senders: readonly number[];
  /** where the nodes of the path, senders and stops, say something else; default everywhere */
  readonly positions?: readonly number[] | undefined;
  /** the readers of each stop on the way */
  readonly through: readonly (readonly number[])[];
  /** sets of readers at the last stop: one question each; the logits only by themselves */
  readonly ends: readonly (readonly number[])[];
  readonly mlps: MlpsOnTheWay;
}

/** The metric [ends][examples]. Cost: at most a forward pass per hop and one per end. */
export async function answerPaths(
  bound: BoundRun,
  { senders, positions, through, ends, mlps }: PathQuestions,
  unchanged: Float64Array,
): Promise<Float64Array[]> {
  if (bound.alternative.firstChange >= bound.batch.length) return ends.map(() => unchanged);
  const arena = new Arena();
  const span = makeSpan(bound.engine, 0, bound.batch.length);
  const on = { bound, span, arena, mlps };
  try {
    let hop = await runHop(on, await saidBySenders(on, senders, positions));
    for (const stop of through) hop = await runHop(on, await saidAtStop(on, { stop, hop, positions }));
    return await atEnds(on, hop, { ends, unchanged });
  } finally {
    span.dispose();
    arena.dispose();
  }
}

interface On {
  readonly bound: BoundRun;
  readonly span: Span;
  /** everything made on the way */
  readonly arena: Arena;
  readonly mlps: MlpsOnTheWay;
}

/** What senders say instead, by layer; heads of a layer that are no senders as in the base run. */
interface Said {
  readonly input: Tensor | null;
  readonly z: ReadonlyMap<number, Tensor>;
  readonly m: ReadonlyMap<number, Tensor>;
}

/** The senders' alternatives. */
async function saidBySenders(on: On, senders: readonly number[], positions?: readonly number[]): Promise<Said> {
  const { bound, span, arena } = on;
  const { engine, base, alternative } = bound;
  const own = senders.map((sender) => at(engine.universe.senders, sender));
  const swapped = async (now: Tensor, alt: Tensor): Promise<Tensor> => {
    const swap = floats(bound, arena, { values: atPositions(span, positions), shape: [1, 1, span.count, 1] });
    const inputs = { now, alt, swap, positions: span.positions };
    return arena.own(await engine.run({ name: 'swapStream', inputs }))['x'] as Tensor;
  };
  const [z, m] = [new Map<number, Tensor>(), new Map<number, Tensor>()];
  for (const [layer, heads] of byLayer(own.filter(({ kind }) => kind === 'head'))) {
    const swap = headMask(on, heads, positions);
    const inputs = { now: at(base.z, layer), alt: at(alternative.z, layer), swap, positions: span.positions };
    z.set(layer, arena.own(await engine.run({ name: 'swapHeads', inputs }))['z'] as Tensor);
  }
  for (const { layer } of own.filter(({ kind }) => kind === 'mlp'))
    m.set(layer, await swapped(at(base.m, layer), at(alternative.m, layer)));
  const fromInput = own.some(({ kind }) => kind === 'input');
  return { input: fromInput ? await swapped(at(base.pre, 0), at(alternative.pre, 0)) : null, z, m };
}

/**
 * What the nodes of a stop say when these readers of theirs read as in the hop, and nothing else changes. Heads carry a change to
 * later positions: where the path is followed at some positions alone, they say it there alone. MLPs say it where they read it.
 */
async function saidAtStop(
  on: On,
  { stop, hop, positions }: { stop: readonly number[]; hop: Alternative; positions: readonly number[] | undefined },
): Promise<Said> {
  const { bound, span, arena } = on;
  const { engine, base } = bound;
  const readers = stop.map((reader) => at(engine.universe.readers, reader));
  const [z, m] = [new Map<number, Tensor>(), new Map<number, Tensor>()];
  for (const [layer, heads] of byLayer(readers.filter(({ head }) => head >= 0))) {
    const options = { cached: null, swaps: readSwaps(on, heads, at(hop.heads, layer)) };
    const result = await attend({ engine, layer, span }, at(base.heads, layer), options);
    const said = arena.own(result)['z'] as Tensor;
    z.set(layer, positions === undefined ? said : await saidAt(on, { layer, heads, said, positions }));
  }
  for (const { kind, layer } of readers) if (kind === 'mlp') m.set(layer, at(hop.m, layer));
  return { input: null, z, m };
}

/** What heads say at some positions, at the others as in the base run. */
async function saidAt(
  on: On,
  of: { layer: number; heads: readonly Reader[]; said: Tensor; positions: readonly number[] },
): Promise<Tensor> {
  const { bound, span, arena } = on;
  const swap = headMask(on, of.heads, of.positions);
  const inputs = { now: at(bound.base.z, of.layer), alt: of.said, swap, positions: span.positions };
  return arena.own(await bound.engine.run({ name: 'swapHeads', inputs }))['z'] as Tensor;
}

/** Queries, keys and values of a layer that are as in the hop. */
function readSwaps(on: On, readers: readonly Reader[], hop: HeadTensors): Swaps {
  const sites = (['q', 'k', 'v'] as const).filter((site) => readers.some(({ kind }) => kind === site));
  const inputs = sites.flatMap((site): [string, Tensor][] => {
    const heads = readers.filter(({ kind }) => kind === site);
    return [
      [`${site}.alt`, hop[site]],
      [`${site}.swap`, headMask(on, heads)],
    ];
  });
  return { sites, inputs: { ...Object.fromEntries(inputs), positions: on.span.positions } };
}

/** The run of the equation above: x_r of every reader, and what each would make of it. */
async function runHop({ bound, span, arena, mlps }: On, said: Said): Promise<Alternative> {
  const { engine, base, alternative } = bound;
  const [pre, mid, m]: [Tensor[], Tensor[], Tensor[]] = [[], [], []];
  const heads: HeadTensors[] = [];
  const final = await forwardBlocks(
    { engine, span },
    { x: said.input ?? at(base.pre, 0) },
    {
      z: (layer) => said.z.get(layer) ?? at(base.z, layer),
      attended: (made, keep) => {
        heads.push(arena.own({ q: keep(made.heads.q), k: keep(made.heads.k), v: keep(made.heads.v) }));
        mid.push(arena.own(made.mid));
      },
      feedForward: async (place, read) => {
        const own = arena.own(await feedForward(place, read, ['m']))['m'] as Tensor;
        m.push(own);
        const says = said.m.get(place.layer) ?? (mlps === 'kept' ? at(base.m, place.layer) : own);
        return { post: await sumOf(engine, [read.onto, says]) };
      },
      passed: (made) => {
        pre.push(made.pre as Tensor);
        arena.own(made.post);
      },
    },
  );
  engine.passed('forward', { tokens: bound.batch.examples.length * span.count, span });
  return {
    ...{ length: span.length, pre, mid, final, z: base.z, m, heads, isRun: false },
    firstChange: alternative.firstChange,
    pattern: () => Promise.reject(new Error('engine/paths: no reader of the stream reads a pattern')),
    dispose: () => undefined, // the arena's
  };
}

/** Each set of readers given what it reads in the hop, everything after it recomputed. */
async function atEnds(
  { bound, span }: On,
  hop: Alternative,
  { ends, unchanged }: { ends: readonly (readonly number[])[]; unchanged: Float64Array },
): Promise<Float64Array[]> {
  const { universe } = bound.engine;
  const logits = universe.readers.length - 1;
  const throughLogits = ends.some((end) => end.includes(logits)) ? await bound.judge.value(hop.final, span) : unchanged;
  const others = ends.filter((end) => !end.includes(logits));
  invariant(
    ends.every((end) => end.length === 1 || !end.includes(logits)),
    'engine/paths: the logits are a last stop of their own',
  );
  const sites = others.map((end) => end.map((reader) => siteOf(at(universe.readers, reader))));
  const answers = (await answerSites({ ...bound, alternative: hop }, sites, unchanged)).values();
  return ends.map((end) => (end.includes(logits) ? throughLogits : (answers.next().value as Float64Array)));
}

const siteOf = ({ kind, layer, head }: Reader): Site =>
  kind === 'mlp' ? { kind: 'mlp-out', layer } : { kind: kind as AttentionSite, layer, heads: [head] };

/** [1, 1, heads, pos, 1]: 1 for these heads at these positions */
function headMask(
  { bound, span, arena }: On,
  heads: readonly { head: number }[],
  positions?: readonly number[],
): Tensor {
  const { nHeads } = bound.engine.model.config;
  const values = new Float32Array(nHeads * span.count);
  for (const { head } of heads) values.set(atPositions(span, positions), head * span.count);
  return floats(bound, arena, { values, shape: [1, 1, nHeads, span.count, 1] });
}

const atPositions = ({ count }: Span, positions?: readonly number[]): Float32Array =>
  Float32Array.from({ length: count }, (_, position) => ((positions?.includes(position) ?? true) ? 1 : 0));

function byLayer<T extends { readonly layer: number }>(items: readonly T[]): Map<number, T[]> {
  const layers = new Map<number, T[]>();
  for (const item of items) layers.set(item.layer, [...(layers.get(item.layer) ?? []), item]);
  return layers;
}
