import type { Engine } from '../../engine/core/engine.js';
import type { Example } from '../../task/types.js';
import { planMinibatches } from './masks/minibatches.js';
import type { Extent } from './types.js';

/** What the cost of a method on these pairs depends on. */
export const extentOf = (engine: Engine, examples: readonly Example[]): Extent => ({
  edges: engine.universe.edgeCount,
  layers: engine.model.config.nLayers,
  minibatches: planMinibatches(engine, examples).batches.length,
});
