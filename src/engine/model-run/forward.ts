/** A forward pass that keeps nothing but the metric. */
import { withArena } from '../core/arena.js';
import type { Engine } from '../core/engine.js';
import type { Judge } from '../core/judge.js';
import { forwardBlocks } from './block-forward.js';
import { embed, tokensOf, type PromptSide } from './prompts.js';
import type { Batch } from '../core/batches.js';
import { makeSpan, type Span } from '../core/span.js';
import type { Tensor } from '../../runtime/types.js';

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
  return withArena(async (arena) => {
    const final = await forwardBlocks(
      { engine, span },
      { x: arena.own(entering) },
      {
        attended: ({ mid }) => arena.own(mid),
        passed: ({ pre, mid, post }) => {
          arena.own(post);
          for (const spent of [pre, mid]) if (spent && spent !== post) arena.free(spent);
        },
      },
    );
    engine.passed('forward', { tokens: tokensOf(final), span });
    return judge.value(final, span);
  });
}
