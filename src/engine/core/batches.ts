import { batches as groupsOfLength } from '../../task/batches.js';
import type { Example } from '../../task/types.js';
import type { ChunkPlan } from './chunks.js';
import type { Engine } from './engine.js';

export interface PlannedBatch extends Batch {
  /** places of the batch's examples in the list they came from */
  readonly indices: readonly number[];
}

/**
 * Examples of equal length, in batches that fit: never padded.
 *
 * @param copies how many times each example is run at once (the points of an integral); 1 for questions, which are chunked apart
 */
export function planBatches(
  engine: Engine,
  examples: readonly Example[],
  copies = 1,
): { batches: PlannedBatch[]; plan: ChunkPlan } {
  const batches: PlannedBatch[] = [];
  let widest = 0;
  const bytesPerToken = cachedBytesPerToken(engine) + copies * savedBytesPerToken(engine);
  const affordable = engine.options.memoryBytes / 2 / bytesPerToken;
  for (const { length, indices } of groupsOfLength(examples)) {
    const tokens = Math.min(engine.options.chunkTokens / copies, affordable);
    const size = Math.max(1, Math.floor(tokens / length));
    widest = Math.max(widest, Math.min(size, indices.length) * length);
    for (let from = 0; from < indices.length; from += size) {
      const part = indices.slice(from, from + size);
      batches.push({ length, indices: part, examples: part.map((i) => examples[i] as Example) });
    }
  }
  const perChunk = Math.max(0, ...batches.map(({ examples: own }) => own.length));
  return {
    batches,
    plan: { of: 'examples', total: examples.length, perChunk, tokensPerChunk: widest, bytes: widest * bytesPerToken },
  };
}

/** Both cached runs, every site of every layer. */
function cachedBytesPerToken({ model: { config } }: Engine): number {
  const { dModel, nHeads, dHead, nLayers } = config;
  return 2 * 4 * nLayers * (3 * dModel + 4 * nHeads * dHead);
}

/** What a pass that will be differentiated keeps, the senders' differences, and the widest reader gradients. */
function savedBytesPerToken({ model: { config }, universe }: Engine): number {
  const { dModel, nHeads, dHead, nLayers, dMlp } = config;
  const saved = nLayers * (3 * dModel + 3 * nHeads * dHead + (config.gatedMlp ? 2 : 1) * dMlp);
  return 4 * (saved + universe.senders.length * dModel + 9 * nHeads * dModel);
}

/** Examples of one length, small enough to be run at once. */
export interface Batch {
  readonly examples: readonly Example[];
  readonly length: number;
}
