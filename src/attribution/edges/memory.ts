/** What a method will hold in memory, and how work is cut so that it fits. */
import { rehearse, type Rehearsal } from '../../engine/core/rehearse.js';
import { makeSource } from '../../engine/sources/index.js';
import { refuse } from '../../errors.js';
import type { Method, MethodContext } from './types.js';

/**
 * The most bytes that a method holds at once beside the model's weights: tensors while it runs, and its scores. Found by going
 * through it on shapes alone.
 *
 * @param chunkTokens how many tokens are run at once; default as the engine has it
 */
export async function estimateMemory(
  method: Method,
  context: MethodContext,
  chunkTokens = context.engine.options.chunkTokens,
): Promise<Rehearsal> {
  const tensors = await rehearse(context.engine, { chunkTokens }, async (engine, signal) => {
    // every source but the other prompt is a made-up run of the same shapes
    const source = context.source && (await makeSource(engine, 'zero', { batches: [], side: 'corrupt' }));
    await method.run({ ...context, engine, signal, source, journal: undefined, onProgress: () => undefined });
  });
  return { ...tensors, bytes: tensors.bytes + scoreBytes(context) };
}

/** The table of scores [example, edge], its means, and where positions are told apart those of every group. */
function scoreBytes({ engine, examples, groups, keepsExamples }: MethodContext): number {
  const { edgeCount } = engine.universe;
  const columns = groups ? groups.names.length : 0;
  return edgeCount * (4 * examples.length * (1 + (keepsExamples ? columns : 0)) + 8 * (1 + columns));
}

/** A little less than fits in proportion: not all of it shrinks with the chunks. */
const MARGIN = 0.85;

/**
 * Cuts the engine's work so that a method fits the memory budget: as much at once as runs fastest, or else less.
 * @returns the estimate, which holds for the engine as it now is
 * @throws TheveninError discovery/memory: one pair at a time is too much
 */
export async function fitMemory(method: Method, context: MethodContext): Promise<Rehearsal> {
  const { engine, examples } = context;
  const { memoryBytes } = engine.options;
  const longest = Math.max(1, ...examples.map(({ clean }) => clean.length));
  let { chunkTokens } = engine.options;
  for (;;) {
    const estimate = await estimateMemory(method, context, chunkTokens);
    if (estimate.bytes <= memoryBytes) {
      engine.limit({ chunkTokens });
      return estimate;
    }
    if (chunkTokens <= longest)
      refuse(
        'discovery/memory',
        `${method.key} needs about ${mebibytes(estimate.bytes)} even with one pair of ${longest} tokens at a time, of ${mebibytes(memoryBytes)}; give more memory (--memory), fewer steps (--steps) or fewer pairs (--examples)`,
      );
    chunkTokens = Math.max(longest, Math.floor((chunkTokens * MARGIN * memoryBytes) / estimate.bytes));
  }
}

export const mebibytes = (bytes: number): string => `${(bytes / 2 ** 20).toPrecision(3)} MiB`;
