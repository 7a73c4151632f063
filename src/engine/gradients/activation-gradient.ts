/**
 * Gradients along straight lines of activations instead of the embedding: one group of senders at a time (the embedding, the heads
 * of a layer together, an MLP) has its output moved from its alternative to what it says in the base run; the rest is computed.
 *
 * Nothing flows back through the replaced group, and below it every run is the base run. A gradient is linear in what reaches it,
 * so what all groups and points send down past their own place is summed and goes down once, through the base run.
 */
import { mlpReads } from '../../model/blocks.js';
import type { Tensor, Tensors } from '../../runtime/types.js';
import { Arena } from '../core/arena.js';
import { forwardSaved, gradientThroughMlp, type Saved } from '../model-run/backward.js';
import { backwardBlock, sumOf, type AtReaders } from '../model-run/block-backward.js';
import { mlpHalf } from '../model-run/block-forward.js';
import { senderDifferences } from '../model-run/differences.js';
import { backwardScored, scoreReader, scoreReaders, type EdgePass, type Point } from './gradient.js';
import { columnsOf, membership, type PositionGroups } from '../model-run/groups.js';
import { preActivationsOf } from '../model-run/neurons.js';
import { at, clampStart, floats, postOf, shifted, spread, type BoundRun } from '../model-run/bound-run.js';
import { makeSpan } from '../core/span.js';

interface GroupPass extends EdgePass {
  /** 1: what the group says in the base run, 0: its alternative; weights include the division by the number of groups */
  readonly points: readonly Point[];
}

/**
 * Per example and edge, ⟨alternative − output of the sender, mean over groups of Σ over points of weight · ∂metric/∂(reader's
 * input)⟩: [(example · edgeCount + edge) · columns + column], the last column all positions, as of `edgeGradients`.
 *
 * Cost: for each group, at each point, forward and back through the layers above it: about layers + 1 passes per point.
 */
export async function activationGradients(
  bound: BoundRun,
  points: readonly Point[],
  { groups: places }: { readonly groups?: PositionGroups | undefined } = {},
): Promise<Float32Array | Float64Array> {
  const { engine, batch, base, alternative } = bound;
  const { nLayers, dMlp } = engine.model.config;
  const { edgeCount } = engine.universe;
  const scores = engine.precise(new Float64Array(batch.examples.length * edgeCount * columnsOf(places)));
  if (alternative.firstChange >= batch.length) return scores;
  const span = makeSpan(engine, clampStart(bound, alternative.firstChange), batch.length);
  const arena = new Arena();
  try {
    const differences = arena.own(await senderDifferences(bound, span, { byToken: true, amount: 0 }));
    const groups = 1 + (dMlp > 0 ? 2 : 1) * nLayers;
    const shared = points.map((point) => ({ at: point.at, weight: point.weight / groups }));
    const resolution = places && { groups: membership(bound, span, { groups: places, arena }) };
    const edgePass = { engine, bound, span, arena, cached: base.heads, differences, scores, ...resolution };
    await downward({ ...edgePass, points: shared });
  } finally {
    arena.dispose();
    span.dispose();
  }
  return scores;
}

/** From the last layer to the first: the groups of a layer, then what has come down so far. */
async function downward(pass: GroupPass): Promise<void> {
  const { engine, bound, span, arena } = pass;
  const { base, alternative } = bound;
  const entering = await spread(bound, span, { stream: at(base.pre, 0), questions: 1, arena });
  const { saved } = await forwardSaved(pass, entering);
  let gradient: Tensor | null = null;
  for (let layer = saved.length - 1; layer >= 0; layer--) {
    const ofHeads = arena.own(await headGroup(pass, layer));
    const ofMlp = engine.model.config.dMlp > 0 ? arena.own(await mlpGroup(pass, layer)) : null;
    const readers = (reached: AtReaders): Promise<Tensor> => scoreReaders(pass, layer, reached);
    const besides = { heads: ofHeads, mlp: ofMlp };
    const from: { saved: Saved; gradient: Tensor | null } = { saved: saved[layer] as Saved, gradient };
    const next = (await backwardBlock(pass, layer, from, { readers, besides })) as Tensor;
    arena.free(ofHeads, ofMlp ?? undefined, gradient ?? undefined);
    gradient = arena.own(next);
  }
  const pre = { base: at(base.pre, 0), now: at(base.pre, 0), alt: at(alternative.pre, 0) };
  const swap = swapOf(pass, [pass.points.length, 1, span.count, 1]);
  (await fromStream(pass, 0, await shifted(bound, span, { ...pre, swap }))).dispose();
}

/** How much of the alternative each point brings in. */
function swapOf({ bound, arena, points }: GroupPass, shape: readonly number[]): Tensor {
  const each = shape.slice(1).reduce((a, b) => a * b, 1);
  const values = Float64Array.from({ length: points.length * each }, (_, i) => 1 - points[Math.floor(i / each)]!.at);
  return floats(bound, arena, { values: bound.engine.precise(values), shape });
}

/** The stream entering `layer` at every point → the gradient there, summed over points [1, examples, pos, d]. */
async function fromStream(pass: GroupPass, layer: number, entering: Tensor): Promise<Tensor> {
  const { engine, bound, span, points } = pass;
  const arena = new Arena();
  try {
    const own = { ...pass, arena };
    const weights = points.map(({ weight }) => weight);
    const { saved, final } = await forwardSaved(own, entering, layer);
    const { gradient } = await bound.judge.gradient(final, span, { weights });
    const x = await backwardScored(own, saved, { atFinal: gradient, first: layer });
    return (await engine.run({ name: 'sumQuestions', inputs: { x } }))['x'] as Tensor;
  } finally {
    arena.dispose();
  }
}

/** The MLP's output at every point → the gradient at the stream after it. */
async function mlpGroup(pass: GroupPass, layer: number): Promise<Tensor> {
  const { bound, span, points } = pass;
  const { base, alternative } = bound;
  const streams = { base: postOf(base, layer), now: at(base.m, layer), alt: at(alternative.m, layer) };
  const swap = swapOf(pass, [points.length, 1, span.count, 1]);
  return fromStream(pass, layer + 1, await shifted(bound, span, { ...streams, swap }));
}

/** The heads' outputs at every point → the gradient at the stream after them; in parallel blocks the MLP does not see them. */
async function headGroup(pass: GroupPass, layer: number): Promise<Tensor> {
  const { engine, bound, span, points } = pass;
  const { base, alternative } = bound;
  const { nHeads } = engine.model.config;
  const throughMlp = mlpReads(engine.model.config) === 'mid';
  const inputs = {
    base: throughMlp ? at(base.mid, layer) : postOf(base, layer),
    now: at(base.z, layer),
    alt: at(alternative.z, layer),
    swap: swapOf(pass, [points.length, 1, nHeads, span.count, 1]),
    positions: span.positions,
  };
  const x = (await engine.run({ name: 'shiftHeads', layer, inputs }))['x'] as Tensor;
  return throughMlp ? fromMid(pass, layer, x) : fromStream(pass, layer + 1, x);
}

/** As {@link fromStream}, from the stream between a layer's attention and its MLP. */
async function fromMid(pass: GroupPass, layer: number, mid: Tensor): Promise<Tensor> {
  const { engine, bound, span, points } = pass;
  const arena = new Arena();
  try {
    const own = { ...pass, arena };
    arena.own(mid);
    let mlp: Tensors = {};
    const post = await mlpHalf(
      { engine, layer, span },
      { pre: null, mid },
      {
        wanted: preActivationsOf(engine),
        passed: (made, keep) => {
          mlp = made.mlp;
          for (const name of preActivationsOf(engine)) arena.own(keep(mlp[name] as Tensor));
        },
      },
    );
    const { saved, final } = await forwardSaved(own, post, layer + 1);
    const weights = points.map(({ weight }) => weight);
    const { gradient: atFinal } = await bound.judge.gradient(final, span, { weights });
    const gradient = await backwardScored(own, saved, { atFinal, first: layer + 1 });
    const half = { pre: mid, mid, mlp, heads: at(bound.base.heads, layer) }; // the heads are not read
    const atMlp = arena.own(await gradientThroughMlp(pass, layer, { saved: half, gradient }));
    await scoreReader(own, atMlp, engine.universe.readerIndex(`m${layer}`) as number);
    const x = arena.own(await sumOf(engine, [gradient, atMlp]));
    return (await engine.run({ name: 'sumQuestions', inputs: { x } }))['x'] as Tensor;
  } finally {
    arena.dispose();
  }
}
