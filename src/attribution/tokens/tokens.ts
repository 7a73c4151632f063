/** What the tokens of prompts contribute to the task's metric, prompt by prompt. */
import type { Engine } from '../../engine/core/engine.js';
import { withEmbedded, type EmbeddedPrompt } from '../../engine/gradients/embedded.js';
import type { Example, MetricKey } from '../../task/types.js';
import type { Group, ScalarFunction, Way } from './function.js';
import type { Baseline, TokenMethod } from './types.js';
import type { Options } from '../options.js';
import { divide, tokenUnits, type Division, type Unit } from './units.js';

export interface TokenQuestion {
  readonly method: TokenMethod;
  readonly metric: MetricKey;
  readonly baseline: Baseline;
  readonly options: Options;
  /** undefined: those that every prompt has */
  readonly spans?: readonly string[] | undefined;
  readonly signal?: AbortSignal;
  /** prompts finished, of all */
  readonly onProgress?: (done: number, total: number) => void;
}

/** Of one prompt. */
export interface Contributions {
  readonly units: readonly Unit[];
  /** one per unit; positive = it helps the task */
  readonly values: Float64Array;
  /** the metric of the clean prompt, and of the baseline */
  readonly clean: number;
  readonly baseline: number;
}

export interface TokenAttribution {
  readonly division: Division;
  readonly prompts: readonly Contributions[];
}

/**
 * One value per token or span of every clean prompt. Cost: `method.cost` per prompt.
 * @throws TheveninError attribution/spans, attribution/gradient, discovery/steps before any compute
 */
export async function attributeTokens(
  engine: Engine,
  examples: readonly Example[],
  question: TokenQuestion,
): Promise<TokenAttribution> {
  const { method, metric, options, spans } = question;
  method.check?.({ metric, options });
  const ofSpans = method.of === 'span';
  const division = divide(examples, { spans, disjoint: ofSpans && method.sums });
  const prompts: Contributions[] = [];
  for (const example of examples) {
    question.signal?.throwIfAborted();
    const units = ofSpans ? division.of(example) : tokenUnits(example);
    prompts.push(
      await withEmbedded(engine, example, metric, (prompt) =>
        explain(prompt, units, { ...question, dModel: engine.model.config.dModel }),
      ),
    );
    question.onProgress?.(prompts.length, examples.length);
  }
  return { division, prompts };
}

async function explain(
  prompt: EmbeddedPrompt,
  units: readonly Unit[],
  { method, baseline, options, signal, dModel }: TokenQuestion & { readonly dModel: number },
): Promise<Contributions> {
  const f = stoppable(prompt, signal);
  const way: Way = { x: prompt.clean, baseline: BASELINES[baseline](prompt) };
  const groups = units.map(({ positions }) => elementsOf(positions, dModel));
  const [clean = 0, below = 0] = await f.values([way.x, way.baseline]);
  return {
    units,
    values: await method.run({ f, way, groups, relevances: prompt.relevances, options }),
    clean,
    baseline: below,
  };
}

const BASELINES: { readonly [Key in Baseline]: (prompt: EmbeddedPrompt) => Float64Array } = {
  corrupt: ({ corrupt }) => corrupt,
  zero: ({ clean }) => new Float64Array(clean.length),
};

const elementsOf = (positions: readonly number[], dModel: number): Group =>
  positions.flatMap((position) => Array.from({ length: dModel }, (_, i) => position * dModel + i));

const stoppable = (f: ScalarFunction, signal: AbortSignal | undefined): ScalarFunction => ({
  atOnce: f.atOnce,
  values: (points) => (signal?.throwIfAborted(), f.values(points)),
  gradients: (points) => (signal?.throwIfAborted(), f.gradients(points)),
});
