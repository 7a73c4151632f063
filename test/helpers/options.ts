/** What methods of attribution to edges are asked where a test asks many of them alike. */
import { METHODS, type EdgeOptions } from '../../src/attribution/edges/index.js';
import { sharedOptions } from '../../src/attribution/options.js';
import type { MethodContext } from '../../src/attribution/edges/types.js';

export type EveryOption = Required<EdgeOptions>;
export type EveryContext = MethodContext<EveryOption>;

/** The options of every method: each takes its own from them. */
export const everyOption = (given: EdgeOptions = {}): EveryOption => ({
  ...(Object.fromEntries(
    sharedOptions(METHODS).map(({ key, schema }) => [key, schema.default as unknown]),
  ) as EveryOption),
  ...given,
});
