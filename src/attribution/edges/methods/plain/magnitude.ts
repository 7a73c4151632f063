import { Arena } from '../../../../engine/core/arena.js';
import { senderDifferences } from '../../../../engine/model-run/differences.js';
import { withSession } from '../../../../engine/questions/session.js';
import { makeSource } from '../../../../engine/sources/index.js';
import { makeSpan } from '../../../../engine/core/span.js';
import { scoreBatches } from '../../collect.js';
import { edgeMethod, type EdgesContext } from '../../types.js';
import type { Batch } from '../../../../engine/core/batches.js';

/** How much a sender says: the L2 norm of its output over positions and d on the clean prompt, the same for all its edges. */
export const magnitude = edgeMethod({
  key: 'magnitude',
  reference: 'baseline; Miller et al. 2024, arXiv:2407.08734 (activation magnitude)',
  options: {},
  direction: null,
  title: () => 'activation magnitude',
  cost: () => ({ forwards: 2, backwards: 0 }),
  run: (context) => scoreBatches(context, { method: 'magnitude' }, (batch) => magnitudes(context, batch)),
});

async function magnitudes({ engine, metric }: EdgesContext, batch: Batch): Promise<Float64Array> {
  const zero = await makeSource(engine, 'zero', { batches: [], side: 'clean' });
  return withSession(engine, batch, { metric, direction: 'noising', source: zero }, async ({ bound }) => {
    const arena = new Arena();
    const span = makeSpan(engine, 0, batch.length);
    try {
      const outputs = arena.own(await senderDifferences(bound, span)); // zero − output, [examples, senders, pos, d]
      return byEdge(await outputs.read(), outputs.shape, engine.universe);
    } finally {
      arena.dispose();
      span.dispose();
    }
  });
}

function byEdge(
  values: ArrayLike<number>,
  shape: readonly number[],
  universe: EdgesContext['engine']['universe'],
): Float64Array {
  const [examples, senders, pos, d] = shape as [number, number, number, number];
  const norms = new Float64Array(examples * senders);
  for (let i = 0; i < norms.length; i++) {
    let sum = 0;
    for (let j = i * pos * d; j < (i + 1) * pos * d; j++) sum += (values[j] as number) ** 2;
    norms[i] = Math.sqrt(sum);
  }
  const { edgeCount, edgeSender } = universe;
  return Float64Array.from({ length: examples * edgeCount }, (_, i) => {
    const example = Math.floor(i / edgeCount);
    return norms[example * senders + (edgeSender[i % edgeCount] as number)] as number;
  });
}
