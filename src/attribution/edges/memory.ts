/** What a method will hold in memory, and how work is cut so that it fits. */
import { fit, type Fitted } from '../../engine/core/fit.js';
import { rehearse, type Rehearsal } from '../../engine/core/rehearse.js';
import { sourceFor } from '../../engine/sources/rehearsed.js';
import type { EdgeMethod, MethodContext } from './types.js';

/**
 * The most bytes that a method holds at once beside the model's weights: tensors while it runs, and its scores. Found by going
 * through it on shapes alone.
 *
 * @param chunkTokens how many tokens are run at once; default as the engine has it
 */
export async function estimateMemory(
  method: EdgeMethod,
  context: MethodContext,
  chunkTokens = context.engine.options.chunkTokens,
): Promise<Rehearsal> {
  const tensors = await rehearse(context.engine, { chunkTokens }, async (engine, watch) => {
    const source = await sourceFor(engine, context.source);
    await method.run({ ...context, ...watch, engine, source, journal: undefined });
  });
  return { ...tensors, bytes: tensors.bytes + scoreBytes(context) };
}

/** The table of scores [example, edge], its means, and where positions are told apart those of every group. */
function scoreBytes({ engine, examples, groups, keepsExamples }: MethodContext): number {
  const { edgeCount } = engine.universe;
  const columns = groups ? groups.names.length : 0;
  return edgeCount * (4 * examples.length * (1 + (keepsExamples ? columns : 0)) + 8 * (1 + columns));
}

/**
 * How the engine's work has to be cut so that a method fits the memory budget.
 * @throws TheveninError discovery/memory: one pair at a time is too much
 */
export function fitMemory(method: EdgeMethod, context: MethodContext): Promise<Fitted> {
  const { engine, examples } = context;
  const longest = Math.max(1, ...examples.map(({ clean }) => clean.length));
  const instead = 'fewer steps (--steps) or fewer pairs (--examples)';
  return fit(engine, { what: method.key, longest, instead }, ({ chunkTokens }) =>
    estimateMemory(method, context, chunkTokens),
  );
}
