import { withSession } from '../../engine/run.js';
import { noising, scoreBatches } from '../collect.js';
import type { Method, MethodContext } from '../types.js';
import type { Batch } from '../../engine/prompts.js';

/** Edges asked at once, so that progress and Ctrl-C are not far apart. */
const ASKED_AT_ONCE = 512;

/** The effect of cutting one edge in the clean run, everything downstream recomputed; every edge in turn. */
export const exact: Method = {
  key: 'exact',
  reference: 'Conmy et al. 2023, arXiv:2304.14997 (single-edge effects)',
  integrates: false,
  direction: 'noising',
  title: () => 'exact effects',
  cost: (_, { edges }) => ({ forwards: 2 + Math.ceil(edges / 3), backwards: 0 }),
  run: (context) => scoreBatches(context, { method: 'exact' }, (batch) => effects(context, batch)),
};

/** metric clean − metric with the edge cut: positive = the edge helps. */
function effects(context: MethodContext, batch: Batch): Promise<Float64Array> {
  const { engine, signal } = context;
  const { edgeCount } = engine.universe;
  return withSession(engine, batch, noising(context), async (session) => {
    const scores = new Float64Array(batch.examples.length * edgeCount);
    for (let from = 0; from < edgeCount; from += ASKED_AT_ONCE) {
      signal.throwIfAborted();
      const edges = Array.from({ length: Math.min(ASKED_AT_ONCE, edgeCount - from) }, (_, i) => from + i);
      const answers = await session.ask(edges.map((edge) => ({ kind: 'edge', edge })));
      answers.forEach((values, i) =>
        values.forEach(
          (value, example) => (scores[example * edgeCount + from + i] = (session.base[example] as number) - value),
        ),
      );
    }
    return scores;
  });
}
