/**
 * The gradient of the metric at every reader's own input, contracted on the way with what each sender would say differently.
 * One backward pass answers for all edges; reader gradients never exist all at once.
 */
import type { Tensor, Tensors } from '../../runtime/types.js';
import { Arena } from '../core/arena.js';
import { senderDifferences } from '../model-run/differences.js';
import { forwardSaved, type At, type Pass, type Saved, type WayBack } from '../model-run/backward.js';
import { backwardBlock, type AtReaders } from '../model-run/block-backward.js';
import type { Engine } from '../core/engine.js';
import type { HeadTensors } from '../model-run/layers.js';
import { columnsOf, membership, type PositionGroups } from '../model-run/groups.js';
import { at, clampStart, floats, shifted, type BoundRun } from '../model-run/bound-run.js';
import { tokensOf, type CachedRun } from '../model-run/prompts.js';
import { makeSpan } from '../core/span.js';

/** A point between the two prompts' embeddings and its weight in the integral: 1 is the clean prompt, 0 the corrupt one. */
export interface Point {
  readonly at: number;
  readonly weight: number;
}

/** The runs whose embeddings the points lie between. */
export interface Ends {
  readonly clean: CachedRun;
  readonly corrupt: CachedRun;
}

interface Resolution {
  /** positions whose scores are told apart; default one sum over all */
  readonly groups?: PositionGroups | undefined;
}

export interface EdgePass extends Pass {
  readonly bound: BoundRun;
  /** what every sender would say differently [examples, pos, senders, d] */
  readonly differences: Tensor;
  /** which positions are in which column [examples, columns, pos]; absent: all in one */
  readonly groups?: Tensor;
  /** [(example · edgeCount + edge) · columns + column], added to */
  readonly scores: Float32Array | Float64Array;
}

/**
 * Per example and edge, ⟨alternative − output of the sender, Σ over points of weight · ∂metric/∂(reader's input)⟩, summed over
 * d and the positions of each column: [(example · edgeCount + edge) · columns + column], the last column being all positions. A
 * first-order estimate of what cutting the edge there adds to the metric.
 *
 * Cost: per point a forward and a backward pass over the positions that differ.
 *
 * Where the way back is given by rules, they stand for the derivative.
 */
export async function edgeGradients(
  bound: BoundRun,
  points: readonly Point[],
  { clean, corrupt, groups, ...way }: Ends & Resolution & WayBack,
): Promise<Float32Array | Float64Array> {
  const { engine, batch } = bound;
  const examples = batch.examples.length;
  const scores = engine.precise(new Float64Array(examples * engine.universe.edgeCount * columnsOf(groups)));
  if (bound.alternative.firstChange >= batch.length) return scores;
  const span = makeSpan(engine, clampStart(bound, bound.alternative.firstChange), batch.length);
  const arena = new Arena();
  try {
    const differences = arena.own(await senderDifferences(bound, span, { byToken: true, amount: 0 }));
    const resolution = groups && { groups: membership(bound, span, { groups, arena }) };
    const on = { engine, bound, span, arena, cached: bound.base.heads };
    const pass: EdgePass = { ...on, differences, scores, ...resolution, ...way };
    const { saved, final } = await forwardSaved(pass, await pointStreams(pass, points, { clean, corrupt }));
    const weights = points.map(({ weight }) => weight);
    const { gradient } = await bound.judge.gradient(final, span, { weights, frozenNorm: way.rules?.frozenNorms });
    await backwardScored(pass, saved, { atFinal: gradient });
  } finally {
    arena.dispose();
    span.dispose();
  }
  return scores;
}

/** The streams entering the model at every point [points, examples, pos, d]. */
export async function pointStreams(
  { bound, span, arena }: Pick<EdgePass, 'bound' | 'span' | 'arena'>,
  points: readonly Point[],
  ends: Ends,
): Promise<Tensor> {
  const amounts = Float64Array.from(
    { length: points.length * span.count },
    (_, i) => points[Math.floor(i / span.count)]?.at ?? 0,
  );
  const swap = floats(bound, arena, {
    values: bound.engine.precise(amounts),
    shape: [points.length, 1, span.count, 1],
  });
  const [corrupt, clean] = [at(ends.corrupt.pre, 0), at(ends.clean.pre, 0)];
  return shifted(bound, span, { base: corrupt, now: corrupt, alt: clean, swap });
}

/**
 * From the gradient at the final stream, owned by the pass from now on, down to the stream entering layer `first`, whose gradient
 * is returned; each layer's readers are scored as they are passed.
 */
export async function backwardScored(
  pass: EdgePass,
  saved: readonly Saved[],
  { atFinal, first = 0 }: { atFinal: Tensor; first?: number },
): Promise<Tensor> {
  const { engine, arena } = pass;
  const { readers } = engine.universe;
  let gradient = arena.own(atFinal);
  await scoreReader(pass, gradient, readers.length - 1);
  for (let layer = first + saved.length - 1; layer >= first; layer--) {
    const own = saved[layer - first] as Saved;
    const next = await backwardLayer(pass, layer, { saved: own, gradient });
    arena.free(gradient);
    gradient = arena.own(next);
    const { pre, mid, heads, z, mlp } = own;
    arena.free(mid, heads.q, heads.k, heads.v, z, ...Object.values(mlp), ...(layer > first ? [] : [pre]));
  }
  engine.passed('backward', { tokens: tokensOf(gradient), layers: saved.length, span: pass.span });
  return gradient;
}

/** Scores the edges into one reader of the stream from the gradient at its input. */
export async function scoreReader(pass: EdgePass, gradient: Tensor, reader: number): Promise<void> {
  const inputs = { gradient, differences: pass.differences, ...(pass.groups && { groups: pass.groups }) };
  const variant = { groups: pass.groups !== undefined, neurons: false };
  const { scores } = await pass.engine.run({ name: 'readerScores', variant, inputs });
  await collect(pass, scores as Tensor, [reader]);
}

/**
 * One layer back, its readers scored.
 * @returns the gradient at the stream entering the layer; the caller owns it
 */
export async function backwardLayer(pass: EdgePass, layer: number, from: At): Promise<Tensor> {
  const readers = (reached: AtReaders): Promise<Tensor> => scoreReaders(pass, layer, reached);
  return (await backwardBlock(pass, layer, from, { readers })) as Tensor;
}

/**
 * Scores the edges into a layer's heads (and its MLP, where its gradient is given).
 * @returns the gradient that the heads pass on to the stream entering the layer; the caller owns it
 */
export async function scoreReaders(pass: EdgePass, layer: number, from: AtReaders): Promise<Tensor> {
  const { engine } = pass;
  const { saved, heads, mlp } = from;
  const inputs = readerInputs(pass, saved, { heads, mlp });
  const variant = {
    mlp: mlp !== null,
    several: heads.q.shape[0] !== 1,
    frozenNorm: pass.rules?.frozenNorms ?? false,
    groups: pass.groups !== undefined,
    neurons: false,
  };
  const scored = await engine.run({ name: 'readersGradient', layer, variant, inputs });
  const count = 3 * engine.universe.shape.nHeads + (mlp ? 1 : 0);
  await collect(pass, scored['scores'] as Tensor, readersOf(engine, layer).slice(0, count));
  return scored['x'] as Tensor;
}

function readerInputs(
  { span, differences, groups }: EdgePass,
  saved: Saved,
  of: { heads: HeadTensors; mlp: Tensor | null },
): Tensors {
  const { heads, mlp } = of;
  return {
    x: saved.pre,
    ...saved.heads,
    'q.gradient': heads.q,
    'k.gradient': heads.k,
    'v.gradient': heads.v,
    differences,
    ...(groups && { groups }),
    ...span.rotary,
    ...(mlp ? { 'mlp.gradient': mlp } : {}),
  };
}

/** Reader indices of a layer, in the order of the scores' columns. */
function readersOf({ universe }: Engine, layer: number): number[] {
  const { nHeads, hasMlp } = universe.shape;
  const count = 3 * nHeads + (hasMlp ? 1 : 0);
  return Array.from({ length: count }, (_, i) => layer * count + i);
}

/** Adds scores [examples, columns, senders, readers] to their edges'; those of senders that are not upstream are left out. */
async function collect({ engine, scores }: EdgePass, tensor: Tensor, readers: readonly number[]): Promise<void> {
  const { universe } = engine;
  const { edgeCount } = universe;
  const values = await tensor.read();
  const [examples, columns, senders] = tensor.shape as [number, number, number, number];
  readers.forEach((reader, at) => {
    const upstream = universe.readers[reader]?.senderCount ?? 0;
    for (let sender = 0; sender < upstream; sender++) {
      const edge = universe.edgeBetween(sender, reader);
      for (let row = 0; row < examples * columns; row++) {
        const place = (Math.floor(row / columns) * edgeCount + edge) * columns + (row % columns);
        scores[place]! += values[(row * senders + sender) * readers.length + at]!;
      }
    }
  });
  tensor.dispose();
}
