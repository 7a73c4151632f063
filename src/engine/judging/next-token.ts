/** What the model says comes next. */
import type { Tensor } from '../../runtime/types.js';
import { withArena } from '../core/arena.js';
import type { Engine } from '../core/engine.js';
import { requireFinite } from '../core/finite.js';
import { withCachedRun } from '../model-run/prompts.js';
import type { Batch } from '../core/batches.js';

/** Natural log-probabilities [vocabulary] of the token after a prompt. Cost: one forward pass. */
export async function nextTokenLogProbabilities(engine: Engine, ids: readonly number[]): Promise<Float64Array> {
  const answers = [
    { position: ids.length - 1, correct: { ids: [], weights: [] }, incorrect: { ids: [], weights: [] } },
  ];
  const batch: Batch = {
    length: ids.length,
    examples: [{ index: 0, clean: ids, corrupt: ids, answers, spans: {}, group: null }],
  };
  return withCachedRun(engine, batch, 'clean', (run) =>
    withArena(async (arena) => {
      const rows = arena.own(engine.runtime.tensor(Int32Array.from([ids.length - 1]), [1, 1], 'int'));
      const result = arena.own(
        await engine.run({
          name: 'logits',
          inputs: { x: run.final, 'answer.rows': rows },
          wanted: ['logProbabilities'],
        }),
      );
      const values = await (result['logProbabilities'] as Tensor).read();
      return requireFinite(engine, Float64Array.from(values), 'a log-probability');
    }),
  );
}
