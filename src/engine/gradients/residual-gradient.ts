/** The gradient of the metric at every residual-stream site, the readers of a site not told apart. */
import type { Tensor, Tensors } from '../../runtime/types.js';
import { Arena } from '../core/arena.js';
import {
  added,
  forwardSaved,
  gradientThroughHeads,
  gradientThroughMlp,
  type At,
  type Pass,
  type Saved,
} from '../model-run/backward.js';
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
    const sites = await backwardLayer(pass, layer, { saved: own, gradient });
    mid.unshift(kept.own(sites.mid));
    gradient = kept.own(sites.pre);
    pre.unshift(gradient);
    pass.arena.free(own.mid, own.heads.q, own.heads.k, own.heads.v, ...Object.values(own.mlp));
  }
  pass.engine.passed('backward', { tokens: tokensOf(gradient), span: pass.span });
  return { pre, mid, final: from.gradient };
}

/** One layer back; the caller owns what comes back, where `mid` may be the gradient that was given. */
export async function backwardLayer(pass: Pass, layer: number, from: At): Promise<{ pre: Tensor; mid: Tensor }> {
  const { engine, span } = pass;
  const { saved, gradient } = from;
  const parallel = engine.model.config.parallelBlocks;
  const local = new Arena();
  try {
    const mlp = await gradientThroughMlp(pass, layer, from);
    if (mlp) local.own(mlp);
    const mid = mlp && !parallel ? await added(engine, gradient, mlp) : gradient;
    const heads = await gradientThroughHeads(pass, layer, { saved, gradient: mid });
    local.own(heads as unknown as Tensors);
    const inputs = { x: saved.pre, q: heads.q, k: heads.k, v: heads.v, ...span.rotary };
    const variant = { frozenNorm: pass.rules?.frozenNorms ?? false };
    const { x } = await engine.run({ name: 'projectGradient', layer, variant, inputs });
    const sum = await added(engine, mid, local.own(x as Tensor));
    return { mid, pre: mlp && parallel ? await added(engine, local.own(sum), mlp) : sum };
  } finally {
    local.dispose();
  }
}
