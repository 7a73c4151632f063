import { planBatches } from '../../../engine/core/batches.js';
import type { Engine } from '../../../engine/core/engine.js';
import type { Example } from '../../../task/types.js';
import type { Cost } from '../../method.js';
import type { Extent } from '../types.js';
import type { MaskSetting } from './setting.js';

/** so many batches where the engine would run one: more updates from the same pairs */
const SHARE = 4;

/** Each update runs one of these batches of the pairs. */
export const planMinibatches = (engine: Engine, examples: readonly Example[]): ReturnType<typeof planBatches> =>
  planBatches(engine, examples, SHARE);

/** The first runs of all pairs; then every update runs a batch forward, and forward again on the way back. */
export function masksCost({ updates }: MaskSetting, { minibatches }: Extent): Cost {
  const turns = Math.ceil(updates / minibatches); // of each pair
  return { forwards: 2 + 2 * turns, backwards: turns };
}
