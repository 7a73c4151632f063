/** How work is cut so that it fits the memory budget and runs at the speed matrix products run best. */
import type { Engine } from './engine.js';

export interface ChunkPlan {
  /** what is chunked, e.g. `questions` */
  readonly of: string;
  readonly total: number;
  readonly perChunk: number;
  readonly tokensPerChunk: number;
  /** estimated bytes held at once beside weights and cached runs */
  readonly bytes: number;
}

/** @param bytesPerToken what one token of one question holds at the widest point */
export function planChunks(
  engine: Engine,
  work: { of: string; total: number; tokensEach: number; bytesPerToken: number },
): ChunkPlan {
  const { memoryBytes, chunkTokens } = engine.options;
  const affordable = Math.floor(memoryBytes / 2 / Math.max(1, work.bytesPerToken));
  const tokens = Math.min(chunkTokens, affordable);
  const perChunk = Math.max(1, Math.min(work.total, Math.floor(tokens / work.tokensEach)));
  const tokensPerChunk = perChunk * work.tokensEach;
  return { of: work.of, total: work.total, perChunk, tokensPerChunk, bytes: tokensPerChunk * work.bytesPerToken };
}

/** Consecutive pieces of at most `size`. */
export function* pieces<T>(items: readonly T[], size: number): Generator<readonly T[]> {
  for (let from = 0; from < items.length; from += size) yield items.slice(from, from + size);
}

/** Bytes a token holds in a plain layer: the stream, q, k, v, z, the MLP's two widths. */
export function layerBytesPerToken(engine: Engine): number {
  const { dModel, dMlp, nHeads, dHead } = engine.model.config;
  return 4 * (4 * dModel + 4 * nHeads * dHead + 3 * dMlp);
}
