/** Sets of positions that scores and cuts tell apart: each position, or each named span of the prompts. */
import type { Tensor } from '../../runtime/types.js';
import type { Example } from '../../task/types.js';
import type { Arena } from '../core/arena.js';
import { floats, type BoundRun } from './bound-run.js';
import type { Span } from '../core/span.js';

export interface PositionGroups {
  readonly names: readonly string[];
  /** positions of each group in one example; some may be in none, and in several where spans overlap */
  positions(example: Example): readonly (readonly number[])[];
}

/** How many numbers an edge has: one for each group, and at the end that of all positions together. */
export const columnsOf = (groups: PositionGroups | undefined): number => (groups ? groups.names.length + 1 : 1);

/** Which of the span's positions are in which column [examples, columns, pos]; owned by the arena. */
export function membership(bound: BoundRun, span: Span, of: { groups: PositionGroups; arena: Arena }): Tensor {
  const { examples } = bound.batch;
  const columns = columnsOf(of.groups);
  const values = new Float32Array(examples.length * columns * span.count);
  examples.forEach((example, e) => {
    const rows = [...of.groups.positions(example), range(span.start, span.length)];
    rows.forEach((positions, column) => {
      const row = (e * columns + column) * span.count;
      for (const position of positions) if (position >= span.start) values[row + position - span.start] = 1;
    });
  });
  return floats(bound, of.arena, { values, shape: [examples.length, columns, span.count] });
}

const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);
