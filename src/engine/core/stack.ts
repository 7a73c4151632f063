/** Rows that are pushed a few at a time and read together. */
import type { Tensor } from '../../runtime/types.js';
import type { Engine } from './engine.js';

export interface RowStack {
  /** The values of `rows` [count, …row] come behind those already there. */
  push(rows: Tensor): Promise<void>;
  /** All rows so far; the caller disposes of it, before the next push. */
  all(): Tensor;
  dispose(): void;
}

/** In memory taken once, where the runtime offers that; else every push joins what there is and what comes. */
export function openStack(engine: Engine, row: readonly number[], capacity: number): RowStack {
  const stack = engine.runtime.stack?.(row, capacity);
  return stack ? { ...stack, push: async (rows) => stack.push(rows) } : joinedStack(engine, row);
}

function joinedStack(engine: Engine, row: readonly number[]): RowStack {
  const { runtime } = engine;
  const size = row.reduce((a, b) => a * b, 1);
  const reshaped = (rows: Tensor, inner: readonly number[]): Tensor =>
    runtime.reshape(rows, [rows.shape[0] as number, ...inner]);
  let joined: Tensor | null = null; // [count, size]
  return {
    async push(rows) {
      const more = reshaped(rows, [size]);
      if (joined === null) joined = more;
      else {
        const { all } = await engine.run({ name: 'joinRows', inputs: { first: joined, more } });
        joined.dispose();
        more.dispose();
        joined = all as Tensor;
      }
    },
    all: () => reshaped(joined as Tensor, row),
    dispose: () => joined?.dispose(),
  };
}
