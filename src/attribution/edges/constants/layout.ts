/** Constants as one vector: the embedding's [d], then of each layer the heads' [heads · dHead] and the MLP's [d]. */
import type { Universe } from '../../../circuit/types.js';
import type { Constants } from '../../../engine/sources/index.js';
import type { ModelConfig } from '../../../model/types.js';

export interface Range {
  readonly start: number;
  /** first element after it */
  readonly end: number;
}

export interface Layout {
  readonly size: number;
  /** where the constants of a site lie, by site@layer */
  readonly sites: ReadonlyMap<string, Range>;
  /** [sender] where its constant lies */
  readonly senders: readonly Range[];
}

export function layoutOf(
  { nLayers, nHeads, dHead, dModel, dMlp }: Pick<ModelConfig, 'nLayers' | 'nHeads' | 'dHead' | 'dModel' | 'dMlp'>,
  universe: Universe,
): Layout {
  const sites = new Map<string, Range>();
  let size = 0;
  const add = (site: string, length: number): void => {
    sites.set(site, { start: size, end: size + length });
    size += length;
  };
  add('embedding@0', dModel);
  for (let layer = 0; layer < nLayers; layer++) {
    add(`z@${layer}`, nHeads * dHead);
    if (dMlp > 0) add(`m@${layer}`, dModel);
  }
  const senders = universe.senders.map(({ kind, layer, head }): Range => {
    if (kind === 'input') return sites.get('embedding@0') as Range;
    if (kind === 'mlp') return sites.get(`m@${layer}`) as Range;
    const { start } = sites.get(`z@${layer}`) as Range;
    return { start: start + head * dHead, end: start + (head + 1) * dHead };
  });
  return { size, sites, senders };
}

/** The vector with what is not learned: `of` keeps its other sites. */
export function constantsFrom({ sites }: Layout, vector: Float64Array, of: Constants): Constants {
  const own = [...sites].map(([site, { start, end }]): [string, Float64Array] => [site, vector.slice(start, end)]);
  return new Map([...of, ...own]);
}

export function vectorOf({ sites, size }: Layout, constants: Constants): Float64Array {
  const vector = new Float64Array(size);
  for (const [site, { start }] of sites) vector.set(constants.get(site) as Float64Array, start);
  return vector;
}
