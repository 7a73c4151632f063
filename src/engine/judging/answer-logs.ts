/** Log-probabilities over the whole vocabulary where the answers of a batch are judged. */
import type { Tensor } from '../../runtime/types.js';
import { withArena } from '../core/arena.js';
import type { Engine } from '../core/engine.js';
import type { Batch } from '../core/batches.js';
import { requireFinite } from '../core/finite.js';
import type { Span } from '../core/span.js';

/** Answers in the widest example of a batch. */
export const answersIn = ({ examples }: Batch): number => Math.max(...examples.map(({ answers }) => answers.length));

/**
 * Natural log-probabilities [questions, examples, answers, vocabulary] of the token after each answer's position, from final
 * streams [questions, examples, pos, d]. Where an example has fewer answers than another, its last one stands again.
 */
export function answerLogProbabilities(
  engine: Engine,
  batch: Batch,
  of: { readonly final: Tensor; readonly span: Pick<Span, 'start' | 'count'> },
): Promise<Float64Array> {
  const { start, count } = of.span;
  const width = answersIn(batch);
  const rows = batch.examples.flatMap(({ answers }, example) =>
    Array.from({ length: width }, (_, i) => {
      const { position = 0 } = answers[Math.min(i, answers.length - 1)] ?? {};
      return example * count + position - start;
    }),
  );
  return withArena(async (arena) => {
    const places = arena.own(engine.runtime.tensor(Int32Array.from(rows), [batch.examples.length, width], 'int'));
    const inputs = { x: of.final, 'answer.rows': places };
    const result = arena.own(await engine.run({ name: 'logits', inputs, wanted: ['logProbabilities'] }));
    const values = await (result['logProbabilities'] as Tensor).read();
    return requireFinite(engine, Float64Array.from(values), 'a log-probability');
  });
}
