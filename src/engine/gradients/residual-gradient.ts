/** The gradient of the metric at every residual-stream site, the readers of a site not told apart. */
import type { Tensor } from '../../runtime/types.js';
import { Arena } from '../core/arena.js';
import { forwardSaved, type Pass, type Saved } from '../model-run/backward.js';
import { backwardBlock } from '../model-run/block-backward.js';
import type { Engine } from '../core/engine.js';
import type { Judge } from '../core/judge.js';
import { embed, tokensOf, type PromptSide } from '../model-run/prompts.js';
import type { Batch } from '../core/batches.js';
import { makeSpan } from '../core/span.js';

/** All [1, examples, length, d]; they belong to the caller, who disposes of them together. */
export interface ResidualGradients {
  /** metric of each example */
  readonly value: Float64Array;
  /** at the stream entering each layer, and after its attention */
  readonly pre: readonly Tensor[];
  readonly mid: readonly Tensor[];
  /** at the stream after the last layer */
  readonly final: Tensor;
  dispose(): void;
}

/** ∂metric/∂(stream) of the clean or corrupt prompts at every site. Cost: a forward and a backward pass. */
export async function residualGradients(
  engine: Engine,
  batch: Batch,
  options: { side: PromptSide; judge: Judge },
): Promise<ResidualGradients> {
  const span = makeSpan(engine, 0, batch.length);
  const [saves, kept] = [new Arena(), new Arena()];
  try {
    const pass: Pass = { engine, span, arena: saves, cached: [] };
    const x = await embed(
      engine,
      batch.examples.map((example) => example[options.side]),
    );
    const { saved, final } = await forwardSaved(pass, x);
    const { value, gradient } = await options.judge.gradient(final, span, { weights: [1] });
    return {
      value,
      ...(await backward(pass, saved, { gradient: kept.own(gradient), kept })),
      dispose: () => kept.dispose(),
    };
  } catch (error) {
    kept.dispose();
    throw error;
  } finally {
    saves.dispose();
    span.dispose();
  }
}

async function backward(
  pass: Pass,
  saved: readonly Saved[],
  from: { gradient: Tensor; kept: Arena },
): Promise<{ pre: Tensor[]; mid: Tensor[]; final: Tensor }> {
  const { kept } = from;
  const [pre, mid]: [Tensor[], Tensor[]] = [[], []];
  let { gradient } = from;
  for (let layer = saved.length - 1; layer >= 0; layer--) {
    const own = saved[layer] as Saved;
    const visitor = { mid: (one: Tensor, keep: (one: Tensor) => Tensor) => void mid.unshift(kept.own(keep(one))) };
    gradient = kept.own((await backwardBlock(pass, layer, { saved: own, gradient }, visitor)) as Tensor);
    pre.unshift(gradient);
    pass.arena.free(own.mid, own.heads.q, own.heads.k, own.heads.v, own.z, ...Object.values(own.mlp));
  }
  pass.engine.passed('backward', { tokens: tokensOf(gradient), span: pass.span });
  return { pre, mid, final: from.gradient };
}
