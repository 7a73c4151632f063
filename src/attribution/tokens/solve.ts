import { invariant } from '../../errors.js';

/** x with matrix · x = right, the matrix square and row by row, by Gaussian elimination with partial pivoting; both are overwritten. */
export function solve(matrix: Float64Array, right: Float64Array): Float64Array {
  const n = right.length;
  const at = (row: number, column: number): number => matrix[row * n + column] as number;
  for (let pivot = 0; pivot < n; pivot++) {
    let best = pivot;
    for (let row = pivot + 1; row < n; row++) if (Math.abs(at(row, pivot)) > Math.abs(at(best, pivot))) best = row;
    invariant(Math.abs(at(best, pivot)) > 1e-12, 'the equations have one solution');
    swapRows(matrix, right, [pivot, best]);
    for (let row = pivot + 1; row < n; row++) {
      const factor = at(row, pivot) / at(pivot, pivot);
      for (let column = pivot; column < n; column++)
        matrix[row * n + column] = at(row, column) - factor * at(pivot, column);
      right[row] = (right[row] as number) - factor * (right[pivot] as number);
    }
  }
  for (let row = n - 1; row >= 0; row--) {
    let rest = right[row] as number;
    for (let column = row + 1; column < n; column++) rest -= at(row, column) * (right[column] as number);
    right[row] = rest / at(row, row);
  }
  return right;
}

function swapRows(matrix: Float64Array, right: Float64Array, [a, b]: readonly [number, number]): void {
  if (a === b) return;
  const n = right.length;
  const row = matrix.slice(a * n, (a + 1) * n);
  matrix.copyWithin(a * n, b * n, (b + 1) * n);
  matrix.set(row, b * n);
  [right[a], right[b]] = [right[b] as number, right[a] as number];
}
