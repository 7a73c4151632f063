/** The metric of a prompt as a function of its token embeddings: what attribution to tokens asks. */
import type { Example, MetricKey } from '../../task/types.js';
import type { Tensor } from '../../runtime/types.js';
import { Arena } from '../core/arena.js';
import { forwardSaved, type Pass, type Saved, type WayBack } from '../model-run/backward.js';
import { backwardBlock } from '../model-run/block-backward.js';
import { layerBytesPerToken, planChunks } from '../core/chunks.js';
import type { Engine } from '../core/engine.js';
import { metricFrom } from '../model-run/forward.js';
import { makeJudge } from '../judging/judge.js';
import type { Judge } from '../core/judge.js';
import { requireFinite } from '../core/finite.js';
import { learnedPositions, tokenEmbeddings, tokensOf, withCachedRun } from '../model-run/prompts.js';
import { RELEVANCE } from './relevance.js';
import { makeSpan, type Span } from '../core/span.js';

/** Points are embeddings of every token, positions not added: [pos · d]. */
export interface EmbeddedPrompt {
  readonly clean: Float64Array;
  readonly corrupt: Float64Array;
  /** how many points fit one call */
  readonly atOnce: number;
  /** the metric at each point. Cost: a forward pass per point */
  values(points: readonly Float64Array[]): Promise<Float64Array>;
  /** ∂metric/∂embeddings at each point. Cost: a forward and a backward pass per point */
  gradients(points: readonly Float64Array[]): Promise<Float64Array[]>;
  /** the same with the rules of relevance propagation in place of derivatives */
  relevances(points: readonly Float64Array[]): Promise<Float64Array[]>;
}

/** Makes an example's metric ready, hands it to `work`, and gives everything back. Cost: one forward pass. */
export function withEmbedded<T>(
  engine: Engine,
  example: Example,
  metric: MetricKey,
  work: (prompt: EmbeddedPrompt) => Promise<T>,
): Promise<T> {
  const batch = { examples: [example], length: example.clean.length };
  return withCachedRun(engine, batch, 'clean', async (clean) => {
    const judge = await makeJudge(engine, batch, { metric, clean });
    const span = makeSpan(engine, 0, batch.length);
    try {
      return await work(await embeddedPrompt({ engine, judge, span }, example));
    } finally {
      span.dispose();
      judge.dispose();
    }
  });
}

interface Place {
  readonly engine: Engine;
  readonly judge: Judge;
  readonly span: Span;
}

async function embeddedPrompt(place: Place, example: Example): Promise<EmbeddedPrompt> {
  const { engine, span } = place;
  const positions = await learnedPositions(engine, span.length);
  const embeddings = async (ids: readonly number[]): Promise<Float64Array> =>
    Float64Array.from(await tokenEmbeddings(engine, ids));
  const entering = (points: readonly Float64Array[]): Tensor => {
    const values = new Float64Array(points.length * positions.length);
    points.forEach((point, i) =>
      point.forEach((x, j) => (values[i * positions.length + j] = x + (positions[j] as number))),
    );
    const shape = [points.length, 1, span.length, engine.model.config.dModel];
    return engine.runtime.tensor(engine.precise(values), shape);
  };
  const backward = async (points: readonly Float64Array[], way: WayBack): Promise<Float64Array[]> => {
    const all = await gradientAt(place, entering(points), way);
    return points.map((_, i) => all.slice(i * positions.length, (i + 1) * positions.length));
  };
  return {
    clean: await embeddings(example.clean),
    corrupt: await embeddings(example.corrupt),
    atOnce: pointsAtOnce(engine, span.length),
    values: (points) => metricFrom(engine, entering(points), place),
    gradients: (points) => backward(points, {}),
    relevances: (points) => backward(points, { rules: RELEVANCE }),
  };
}

/** What a pass that is differentiated keeps of every layer is the widest. */
const pointsAtOnce = (engine: Engine, tokensEach: number): number =>
  planChunks(engine, {
    of: 'points',
    total: Number.MAX_SAFE_INTEGER,
    tokensEach,
    bytesPerToken: engine.model.config.nLayers * layerBytesPerToken(engine),
  }).perChunk;

/** The gradient of every question's metric at the streams entering the model, which are disposed: [questions · pos · d]. */
async function gradientAt({ engine, judge, span }: Place, entering: Tensor, way: WayBack): Promise<Float64Array> {
  const arena = new Arena();
  try {
    const pass: Pass = { engine, span, arena, cached: [], ...way };
    const weights = Array<number>(entering.shape[0] as number).fill(1);
    const { saved, final } = await forwardSaved(pass, entering);
    let { gradient } = await judge.gradient(final, span, { weights, frozenNorm: way.rules?.frozenNorms });
    arena.own(gradient);
    for (let layer = saved.length - 1; layer >= 0; layer--) {
      const own = saved[layer] as Saved;
      const pre = arena.own((await backwardBlock(pass, layer, { saved: own, gradient })) as Tensor);
      arena.free(gradient, own.mid, own.heads.q, own.heads.k, own.heads.v, own.z, ...Object.values(own.mlp));
      gradient = pre;
    }
    engine.passed('backward', { tokens: tokensOf(gradient), span });
    return requireFinite(engine, Float64Array.from(await gradient.read()), 'the gradient');
  } finally {
    arena.dispose();
  }
}
