/** What a selection rule is: a way to choose edges by their rank. */
import type { Universe } from '../types.js';

export interface Choice {
  /** [edge] 1 = chosen; dead ends not pruned yet */
  readonly chosen: Uint8Array;
  /** edges as good as the last one chosen that were left out: canonical order decided between them */
  readonly tiesLeftOut: number;
}

export interface SelectionRule {
  readonly key: string;
  readonly title: string;
  readonly reference: string;
  /** what the number asked for means */
  readonly requests: 'edges' | 'score';
  /** `ranks`: [edge] the score or its absolute value; larger = chosen earlier */
  readonly choose: (universe: Universe, ranks: Float64Array, requested: number) => Choice;
}
