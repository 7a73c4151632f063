/** Prompts whose embeddings have noise added, as the base run into which values of their clean run are restored. */
import type { Example, MetricKey } from '../../task/types.js';
import type { Tensor } from '../../runtime/types.js';
import type { Engine } from '../core/engine.js';
import { makeJudge } from '../judging/judge.js';
import { answerSites } from './answer-sites.js';
import { embed, runEmbedded, withCachedRun } from '../model-run/prompts.js';
import type { Site } from './questions.js';
import { otherPrompt } from '../sources/index.js';
import { makeSpan } from '../core/span.js';

/** Noise for consecutive positions of a prompt. */
export interface EmbeddingNoise {
  /** [sample][positions · d] */
  readonly samples: readonly Float64Array[];
  /** position that the noise begins at */
  readonly from: number;
}

export interface NoisedPrompt {
  /** the metric of the clean prompt */
  readonly clean: number;
  /** the metric [sample] without anything restored */
  readonly noised: Float64Array;
  /** the metric [question][sample] with the sites of each question as in the clean run */
  restore(questions: readonly (readonly Site[])[]): Promise<Float64Array[]>;
}

/** Runs an example's clean prompt with and without noise, hands it to `work`, gives everything back. Cost: 2 forward passes per sample. */
export async function withNoise<T>(
  engine: Engine,
  example: Example,
  { metric, ...noise }: EmbeddingNoise & { readonly metric: MetricKey },
  work: (prompt: NoisedPrompt) => Promise<T>,
): Promise<T> {
  const batch = { examples: noise.samples.map(() => example), length: example.clean.length };
  return withCachedRun(engine, batch, 'clean', async (clean) => {
    const noisy = await runEmbedded(engine, batch.length, () => embedNoised(engine, example.clean, noise));
    const judge = await makeJudge(engine, batch, { metric, clean });
    const span = makeSpan(engine, 0, batch.length);
    try {
      const firstChange = engine.model.config.attention === 'causal' ? noise.from : 0;
      const alternative = otherPrompt(engine, clean, firstChange);
      const noised = await judge.value(noisy.final, span);
      return await work({
        clean: (await judge.value(clean.final, span))[0] as number,
        noised,
        restore: (questions) => answerSites({ engine, batch, base: noisy, alternative, judge }, questions, noised),
      });
    } finally {
      span.dispose();
      judge.dispose();
      noisy.dispose();
    }
  });
}

/** [1, samples, length, d] */
async function embedNoised(engine: Engine, ids: readonly number[], { samples, from }: EmbeddingNoise): Promise<Tensor> {
  const { dModel } = engine.model.config;
  const clean = await embed(
    engine,
    samples.map(() => ids),
  );
  const values = Float64Array.from(await clean.read());
  const { shape } = clean;
  clean.dispose();
  samples.forEach((noise, sample) => {
    const at = (sample * ids.length + from) * dModel;
    noise.forEach((x, i) => (values[at + i] = (values[at + i] as number) + x));
  });
  return engine.runtime.tensor(engine.precise(values), shape);
}
