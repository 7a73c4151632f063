/** How scores and cuts tell positions apart. */
import type { Universe } from '../../circuit/types.js';
import type { PositionGroups } from '../../engine/model-run/groups.js';
import type { Example } from '../../task/types.js';

/** Scores of edges at each group of positions. */
export interface ResolvedScores {
  readonly names: readonly string[];
  /** [edge · groups + group], means over examples */
  readonly mean: Float64Array;
  /** [example, edge, group], where they were asked to be kept */
  readonly perExample: Float32Array | null;
}

/** What stands for the positions that no group names. */
const ELSEWHERE = 'elsewhere';

/** The groups and, where some prompt has positions in none of them, one more for those. */
export function withElsewhere(groups: PositionGroups, examples: readonly Example[]): PositionGroups {
  const others = (example: Example): number[] => {
    const named = new Set(groups.positions(example).flat());
    return example.clean.map((_, position) => position).filter((position) => !named.has(position));
  };
  if (examples.every((example) => others(example).length === 0)) return groups;
  return {
    names: [...groups.names, ELSEWHERE],
    positions: (example) => [...groups.positions(example), others(example)],
  };
}

/** An edge, cut everywhere or at one group of positions. */
export interface Cut {
  readonly edge: number;
  readonly group?: number | undefined;
}

/** `a0.h1->a2.h3<k>`, or `a0.h1->a2.h3<k>@S2` at a group of positions. */
export const cutName = (
  { edgeName }: Universe,
  { edge, group }: Cut,
  groups?: Pick<PositionGroups, 'names'>,
): string =>
  group === undefined || groups === undefined ? edgeName(edge) : `${edgeName(edge)}@${groups.names[group]}`;
