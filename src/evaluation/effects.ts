import { planBatches } from '../engine/core/batches.js';
import type { Engine } from '../engine/core/engine.js';
import type { EdgeNeuron, Question } from '../engine/questions/questions.js';
import { withSession } from '../engine/questions/session.js';
import type { AlternativeMaker } from '../engine/sources/index.js';
import type { Example, MetricKey } from '../task/types.js';

/** An edge to be cut, at all positions or at some of each example. */
export interface EdgeCut {
  readonly edge: number;
  positions?(example: Example): readonly number[];
  /** of its MLP only this neuron */
  readonly neuron?: EdgeNeuron;
}

/** The exact effect of chosen cuts: metric clean − metric with the edge cut, [cut][example]; positive = the edge helps. */
export async function measureEffects(
  engine: Engine,
  examples: readonly Example[],
  cuts: readonly EdgeCut[],
  options: {
    metric: MetricKey;
    source?: AlternativeMaker | undefined;
    signal?: AbortSignal;
    onProgress?: (done: number, total: number) => void;
  },
): Promise<Float64Array[]> {
  const { metric, source } = options;
  const effects = cuts.map(() => new Float64Array(examples.length));
  let done = 0;
  for (const batch of planBatches(engine, examples).batches) {
    options.signal?.throwIfAborted();
    await withSession(engine, batch, { metric, source, direction: 'noising' }, async (session) => {
      const answers = await session.ask(cuts.map((cut) => asQuestion(cut, batch.examples)));
      answers.forEach((values, e) =>
        batch.indices.forEach((place, i) => {
          (effects[e] as Float64Array)[place] = (session.base[i] as number) - (values[i] as number);
        }),
      );
    });
    done += batch.indices.length;
    options.onProgress?.(done, examples.length);
  }
  return effects;
}

const asQuestion = ({ positions, ...cut }: EdgeCut, examples: readonly Example[]): Question => ({
  kind: 'edge',
  ...cut,
  ...(positions && { positions: examples.map(positions) }),
});
