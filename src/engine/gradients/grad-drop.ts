/** GradDrop (Kramár et al. 2024, arXiv:2403.00745, eq. 11): estimates that survive when effects along different paths cancel. */
import type { Tensor } from '../../runtime/types.js';
import { withArena } from '../core/arena.js';
import { forwardSaved, type Saved, type WayBack } from '../model-run/backward.js';
import { senderDifferences } from '../model-run/differences.js';
import type { Engine } from '../core/engine.js';
import { backwardLayer, scoreReader, type EdgePass } from './gradient.js';
import { tokensOf } from '../model-run/prompts.js';
import { at, clampStart, spread, type BoundRun } from '../model-run/bound-run.js';
import { makeSpan } from '../core/span.js';

/**
 * With g_ℓ the gradient on the clean prompts when nothing flows back through layer ℓ's heads and MLP, per example and edge the mean
 * of |⟨alternative − output of the sender, g_ℓ at the reader's input⟩| over all layers ℓ but the reader's own, dropping which
 * leaves nothing: [example · edgeCount + edge]. Signs are lost.
 *
 * Above ℓ, g_ℓ is the plain gradient, which is computed once. Cost: one forward pass and 1 + (layers − 1) / 2 backward passes.
 */
export async function gradDrop(bound: BoundRun, way: WayBack): Promise<Float64Array> {
  const { engine, batch } = bound;
  const scores = new Float64Array(batch.examples.length * engine.universe.edgeCount);
  if (bound.alternative.firstChange >= batch.length) return scores;
  const span = makeSpan(engine, clampStart(bound, bound.alternative.firstChange), batch.length);
  try {
    await withArena(async (arena) => {
      const differences = arena.own(await senderDifferences(bound, span, { byToken: true, amount: 0 }));
      const on = { engine, bound, span, arena, cached: bound.base.heads };
      const pass: EdgePass = { ...on, differences, scores: zeros(engine, scores.length), ...way };
      const clean = { stream: at(bound.base.pre, 0), questions: 1, arena };
      const { saved, final } = await forwardSaved(pass, await spread(bound, span, clean));
      const { gradient } = await bound.judge.gradient(final, span, { weights: [1] });
      await addDrops(pass, saved, { scores, atFinal: arena.own(gradient) });
    });
  } finally {
    span.dispose();
  }
  return scores;
}

const zeros = (engine: Engine, length: number): Float32Array | Float64Array => engine.precise(new Float64Array(length));

/** From the gradient at the final stream down, once as it is and once for each layer dropped. */
async function addDrops(
  pass: EdgePass,
  saved: readonly Saved[],
  to: { scores: Float64Array; atFinal: Tensor },
): Promise<void> {
  const { engine, arena } = pass;
  const { universe } = engine;
  const { nLayers } = universe.shape;
  await scoreReader(pass, to.atFinal, universe.readers.length - 1);
  const above = [to.atFinal]; // the gradient at the stream after each layer, the last layer first
  for (let layer = nLayers - 1; layer >= 0; layer--)
    above.push(arena.own(await backThrough(pass, layer, { saved, gradient: at(above, above.length - 1) })));
  const others = Math.max(1, nLayers - 1);
  addSizes(to.scores, pass, (edge) => {
    const { layer } = universe.readers[universe.edgeReader[edge]!]!;
    return layer >= nLayers || nLayers === 1 ? 1 : layer / others; // the layers below, and for the logits all
  });
  for (let dropped = nLayers - 1; dropped > 0; dropped--) {
    const own = { ...pass, scores: zeros(engine, to.scores.length) };
    await backBelow(own, saved, { layer: dropped, gradient: at(above, nLayers - 1 - dropped) });
    addSizes(to.scores, own, () => 1 / others);
  }
}

/** As if the layer were not there: scores all layers below from the gradient after it. */
async function backBelow(
  pass: EdgePass,
  saved: readonly Saved[],
  from: { layer: number; gradient: Tensor },
): Promise<void> {
  let { gradient } = from;
  for (let layer = from.layer - 1; layer >= 0; layer--) {
    const next = await backThrough(pass, layer, { saved, gradient });
    if (gradient !== from.gradient) gradient.dispose();
    gradient = next;
  }
  if (gradient !== from.gradient) gradient.dispose();
}

async function backThrough(
  pass: EdgePass,
  layer: number,
  { saved, gradient }: { saved: readonly Saved[]; gradient: Tensor },
): Promise<Tensor> {
  pass.engine.passed('backward', { tokens: tokensOf(gradient), layers: 1, span: pass.span });
  return backwardLayer(pass, layer, { saved: at(saved, layer), gradient });
}

/** Adds weight(edge) · |score|. */
function addSizes(to: Float64Array, { engine, scores }: EdgePass, weight: (edge: number) => number): void {
  const { edgeCount } = engine.universe;
  for (let i = 0; i < to.length; i++) to[i]! += weight(i % edgeCount) * Math.abs(scores[i]!);
}
