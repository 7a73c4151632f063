/** A forward pass that keeps nothing but the metric. */
import { withArena } from '../core/arena.js';
import type { Engine } from '../core/engine.js';
import type { Judge } from '../core/judge.js';
import { attend, feedForward, output, project } from './layers.js';
import { embed, tokensOf, type PromptSide } from './prompts.js';
import type { Batch } from '../core/batches.js';
import { makeSpan, type Span } from '../core/span.js';
import type { Tensor, Tensors } from '../../runtime/types.js';

/** The metric of each example's clean or corrupt prompt. Cost: one forward pass. */
export async function promptMetric(
  engine: Engine,
  batch: Batch,
  options: { side: PromptSide; judge: Judge },
): Promise<Float64Array> {
  const span = makeSpan(engine, 0, batch.length);
  try {
    const x = await embed(
      engine,
      batch.examples.map((example) => example[options.side]),
    );
    return await metricFrom(engine, x, { span, judge: options.judge });
  } finally {
    span.dispose();
  }
}

/** The metric [questions · examples] of streams entering the model [questions, examples, pos, d], which are disposed. */
export async function metricFrom(
  engine: Engine,
  entering: Tensor,
  { span, judge }: { span: Span; judge: Judge },
): Promise<Float64Array> {
  let x = entering;
  for (let layer = 0; layer < engine.model.config.nLayers; layer++) x = await nextStream({ engine, layer, span }, x);
  engine.passed('forward', { tokens: tokensOf(x), span });
  const value = await judge.value(x, span);
  x.dispose();
  return value;
}

/** The stream after a layer; disposes the one before it. */
function nextStream(place: Parameters<typeof project>[0], x: Tensor): Promise<Tensor> {
  const { parallelBlocks, dMlp } = place.engine.model.config;
  return withArena(async (arena) => {
    arena.own(x);
    const heads = await project(place, x);
    arena.own(heads as unknown as Tensors);
    const { z } = arena.own(await attend(place, heads, { cached: null }));
    const mid = arena.own(await output(place, x, z as Tensor));
    if (dMlp === 0) return arena.release(mid);
    return (await feedForward(place, { x: parallelBlocks ? x : mid, onto: mid }, ['post']))['post'] as Tensor;
  });
}
