/** Asking an engine in tests: examples by hand, logits of prompts, effects of questions, nearness of tables. */
import { expect } from 'chai';
import { Engine, type EngineOptions } from '../../src/engine/core/engine.js';
import { withCachedRun } from '../../src/engine/model-run/prompts.js';
import type { Batch } from '../../src/engine/core/batches.js';
import type { Question } from '../../src/engine/questions/questions.js';
import type { Session } from '../../src/engine/questions/session.js';
import type { Model } from '../../src/model/types.js';
import type { Runtime } from '../../src/runtime/types.js';
import type { Answer, Example } from '../../src/task/types.js';
import { tellParity } from './parity.js';

export interface Pair {
  readonly clean: readonly number[];
  readonly corrupt: readonly number[];
  readonly answers?: readonly Answer[];
}

/** One token against another at a position. */
export const contrast = (position: number, correct: number, incorrect: number): Answer => ({
  position,
  correct: { ids: [correct], weights: [1] },
  incorrect: { ids: [incorrect], weights: [1] },
});

export const batchOf = (pairs: readonly Pair[]): Batch => ({
  length: pairs[0]!.clean.length,
  examples: pairs.map(({ clean, corrupt, answers = [] }, index): Example => {
    return { index, clean, corrupt, answers, spans: {}, group: null };
  }),
});

/** Builds an engine, hands it over, gives everything back; the model is the caller's. */
export async function withEngine<T>(
  { model, runtime, options = {} }: { model: Model; runtime: Runtime; options?: Partial<EngineOptions> },
  work: (engine: Engine) => Promise<T>,
): Promise<T> {
  const engine = new Engine(model, runtime, options);
  try {
    return await work(engine);
  } finally {
    await engine.dispose();
  }
}

/** [prompts, positions, vocabulary] of prompts of one length. */
export async function logitsOf(
  engine: Engine,
  prompts: readonly (readonly number[])[],
  options: { positions?: readonly number[]; of?: 'logits' | 'logProbabilities' } = {},
): Promise<Float64Array> {
  const batch = batchOf(prompts.map((ids) => ({ clean: ids, corrupt: ids })));
  const { positions = Array.from({ length: batch.length }, (_, i) => i), of = 'logits' } = options;
  return withCachedRun(engine, batch, 'clean', async ({ final }) => {
    const rows = prompts.flatMap((_, prompt) => positions.map((position) => prompt * batch.length + position));
    const answers = engine.runtime.tensor(Int32Array.from(rows), [prompts.length, positions.length], 'int');
    const result = await engine.run({ name: 'logits', inputs: { x: final, 'answer.rows': answers }, wanted: [of] });
    const values = Float64Array.from(await result[of]!.read());
    for (const tensor of [answers, result[of]!]) tensor.dispose();
    return values;
  });
}

/** What each question changes, [question · examples + example]. */
export async function effects(session: Session, questions: readonly Question[]): Promise<Float64Array> {
  const answers = await session.ask(questions);
  return Float64Array.from(answers.flatMap((answer) => Array.from(answer, (x, example) => x - session.base[example]!)));
}

/** [edge · examples + example], as tables of peers lie, from the engine's [example · edges + edge]. */
export const byEdge = (scores: ArrayLike<number>, examples: number): Float64Array => {
  const edges = scores.length / examples;
  return Float64Array.from(scores, (_, i) => scores[(i % examples) * edges + Math.floor(i / examples)]!);
};

export const largest = (values: ArrayLike<number>): number =>
  Array.from(values).reduce((max, x) => Math.max(max, Math.abs(x)), 0);

/** Every number within `tolerance` times the table's largest. */
export function expectNear(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  tolerance: number,
  what = 'distance',
): void {
  expect(actual.length, `numbers in ${what}`).to.equal(expected.length);
  const distance = largest(Array.from(expected, (x, i) => x - actual[i]!));
  expect(Array.from(actual).every(Number.isFinite), `${what}: all finite`).to.equal(true);
  const relative = distance / (largest(expected) || 1);
  tellParity({ distance: relative, tolerance, numbers: expected.length });
  expect(relative, what).to.be.at.most(tolerance);
}
