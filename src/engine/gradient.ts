/**
 * The gradient of the metric at every reader's own input, contracted on the way with what each sender would say differently.
 * One backward pass answers for all edges; reader gradients never exist all at once.
 */
import type { Tensor, Tensors } from '../runtime/types.js';
import { Arena } from './arena.js';
import { senderDifferences } from './differences.js';
import type { Engine } from './engine.js';
import { attend, feedForward, output, prefixInputs, project, type HeadTensors } from './layers.js';
import { at, clampStart, floats, shifted, type Setting } from './setting.js';
import type { CachedRun } from './prompts.js';
import { makeSpan, type Span } from './span.js';

/** A point between the two prompts' embeddings and its weight in the integral: 1 is the clean prompt, 0 the corrupt one. */
export interface Point {
  readonly at: number;
  readonly weight: number;
}

/** What one layer's forward pass leaves for the backward pass. */
interface Saved {
  readonly pre: Tensor;
  readonly mid: Tensor;
  readonly heads: HeadTensors;
  readonly mlp: Tensors;
}

/**
 * Per example and edge, ⟨alternative − output of the sender, Σ over points of weight · ∂metric/∂(reader's input)⟩, summed over
 * positions and d: [example · edgeCount + edge]. A first-order estimate of what cutting the edge adds to the metric.
 *
 * @param ends the runs whose embeddings the points lie between
 * Cost: per point a forward and a backward pass over the positions that differ.
 */
export async function edgeGradients(
  setting: Setting,
  points: readonly Point[],
  ends: { clean: CachedRun; corrupt: CachedRun },
): Promise<Float32Array | Float64Array> {
  const { engine, batch } = setting;
  const examples = batch.examples.length;
  const scores = engine.precise(new Float64Array(examples * engine.universe.edgeCount));
  if (setting.alternative.firstChange >= batch.length) return scores;
  const span = makeSpan(engine, clampStart(setting, setting.alternative.firstChange), batch.length);
  const arena = new Arena();
  try {
    const differences = arena.own(await senderDifferences(setting, span));
    const { saved, final } = await forwardPoints({ setting, span, arena }, points, ends);
    const { gradient } = await setting.judge.gradient(final, span, points.map(({ weight }) => weight));
    await backward({ setting, span, arena, differences, scores }, saved, gradient);
  } finally {
    arena.dispose();
    span.dispose();
  }
  return scores;
}

interface Pass {
  readonly setting: Setting;
  readonly span: Span;
  readonly arena: Arena;
}

/** Runs the model at every point, keeping what the way back needs. */
async function forwardPoints(pass: Pass, points: readonly Point[], ends: { clean: CachedRun; corrupt: CachedRun }): Promise<{ saved: Saved[]; final: Tensor }> {
  const { setting, span, arena } = pass;
  const { engine } = setting;
  const { nLayers, dMlp } = engine.model.config;
  const amounts = Float64Array.from({ length: points.length * span.count }, (_, i) => points[Math.floor(i / span.count)]?.at ?? 0);
  const swap = floats(setting, arena, { values: engine.precise(amounts), shape: [points.length, 1, span.count, 1] });
  const [corrupt, clean] = [at(ends.corrupt.pre, 0), at(ends.clean.pre, 0)];
  let x = arena.own(await shifted(setting, span, { base: corrupt, now: corrupt, alt: clean, swap }));
  const saved: Saved[] = [];
  for (let layer = 0; layer < nLayers; layer++) {
    const place = { engine, layer, span };
    const heads = arena.own((await project(place, x)) as unknown as Tensors) as unknown as HeadTensors;
    const { z } = await attend(place, heads, { cached: at(setting.base.heads, layer) });
    const mid = arena.own(await output(place, x, z as Tensor));
    (z as Tensor).dispose();
    const reads = engine.model.config.parallelBlocks ? x : mid;
    const mlp = dMlp === 0 ? {} : arena.own(await feedForward(place, { x: reads, onto: mid }, savedByMlp(engine)));
    saved.push({ pre: x, mid, heads, mlp });
    x = dMlp === 0 ? mid : (mlp['post'] as Tensor);
  }
  engine.counters.layerTokens += points.length * setting.batch.examples.length * span.count;
  return { saved, final: x };
}

const savedByMlp = (engine: Engine): string[] => ['post', 'hidden', ...(engine.model.config.gatedMlp ? ['gate'] : [])];

interface BackwardPass extends Pass {
  readonly differences: Tensor;
  /** [example · edgeCount + edge], filled in */
  readonly scores: Float32Array | Float64Array;
}

/** From the gradient at the final stream down to the embedding; each layer's readers are scored as they are passed. */
async function backward(pass: BackwardPass, saved: readonly Saved[], atFinal: Tensor): Promise<void> {
  const { setting, arena } = pass;
  const { engine } = setting;
  const { readers } = engine.universe;
  let gradient = arena.own(atFinal);
  const { scores } = await engine.run({ name: 'readerScores', inputs: { gradient, differences: pass.differences } });
  await collect(pass, scores as Tensor, [readers.length - 1]);
  for (let layer = saved.length - 1; layer >= 0; layer--) {
    const next = await backwardLayer(pass, layer, { saved: saved[layer] as Saved, gradient });
    arena.free(gradient);
    gradient = arena.own(next);
    const { pre, mid, heads, mlp } = saved[layer] as Saved;
    arena.free(mid, heads.q, heads.k, heads.v, ...Object.values(mlp), ...(layer > 0 ? [] : [pre]));
  }
  engine.counters.layerTokens += setting.batch.examples.length * pass.span.count * (gradient.shape[0] as number);
}

async function backwardLayer(pass: BackwardPass, layer: number, from: { saved: Saved; gradient: Tensor }): Promise<Tensor> {
  const { engine } = pass.setting;
  const { saved, gradient } = from;
  const local = new Arena();
  try {
    const mlp = await gradientThroughMlp(engine, layer, from);
    if (mlp) local.own(mlp);
    const parallel = engine.model.config.parallelBlocks;
    const atMid = mlp && !parallel ? (local.own(await engine.run({ name: 'addStreams', inputs: { a: gradient, b: mlp } }))['x'] as Tensor) : gradient;
    const heads = local.own((await gradientThroughHeads(pass, layer, { saved, gradient: atMid })) as unknown as Tensors) as unknown as HeadTensors;
    const scored = local.own(await engine.run({ name: 'readersGradient', layer, variant: { mlp: mlp !== null }, inputs: readerInputs(pass, saved, { heads, mlp }) }));
    await collect(pass, scored['scores'] as Tensor, readersOf(engine, layer));
    const sum = await engine.run({ name: 'addStreams', inputs: { a: atMid, b: scored['x'] as Tensor } });
    if (!mlp || !parallel) return sum['x'] as Tensor;
    local.own(sum);
    return (await engine.run({ name: 'addStreams', inputs: { a: sum['x'] as Tensor, b: mlp } }))['x'] as Tensor;
  } finally {
    local.dispose();
  }
}

/** The gradient at the MLP's input; null for attention-only models. */
async function gradientThroughMlp(engine: Engine, layer: number, from: { saved: Saved; gradient: Tensor }): Promise<Tensor | null> {
  const { dMlp, parallelBlocks } = engine.model.config;
  if (dMlp === 0) return null;
  const { saved, gradient } = from;
  const gate = saved.mlp['gate'];
  const inputs = { x: parallelBlocks ? saved.pre : saved.mid, hidden: saved.mlp['hidden'] as Tensor, gradient, ...(gate ? { gate } : {}) };
  return (await engine.run({ name: 'mlpGradient', layer, inputs }))['x'] as Tensor;
}

/** The gradients at the layer's q, k and v. */
async function gradientThroughHeads({ setting, span }: Pass, layer: number, from: { saved: Saved; gradient: Tensor }): Promise<HeadTensors> {
  const { engine } = setting;
  const { z } = await engine.run({ name: 'outputGradient', layer, inputs: { gradient: from.gradient } });
  const { q, k, v } = from.saved.heads;
  const inputs = { q, k, v, gradient: z as Tensor, ...span.mask, ...prefixInputs(span, at(setting.base.heads, layer)) };
  const result = await engine.run({ name: 'attendGradient', layer, variant: { prefix: span.prefix }, inputs });
  (z as Tensor).dispose();
  return result as unknown as HeadTensors;
}

function readerInputs({ span, differences }: BackwardPass, saved: Saved, of: { heads: HeadTensors; mlp: Tensor | null }): Tensors {
  const { heads, mlp } = of;
  return {
    x: saved.pre,
    ...saved.heads,
    'q.gradient': heads.q,
    'k.gradient': heads.k,
    'v.gradient': heads.v,
    differences,
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

/** Writes scores [examples, senders, readers] to their edges; columns of senders that are not upstream are left out. */
async function collect({ setting, scores }: BackwardPass, tensor: Tensor, readers: readonly number[]): Promise<void> {
  const { universe } = setting.engine;
  const values = await tensor.read();
  const [examples, senders] = tensor.shape as [number, number, number];
  readers.forEach((reader, column) => {
    const upstream = universe.readers[reader]?.senderCount ?? 0;
    for (let sender = 0; sender < upstream; sender++) {
      const edge = universe.edgeBetween(sender, reader);
      for (let example = 0; example < examples; example++)
        scores[example * universe.edgeCount + edge] = values[(example * senders + sender) * readers.length + column] as number;
    }
  });
  tensor.dispose();
}

