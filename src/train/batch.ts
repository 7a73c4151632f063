import type { Runtime, Tensor } from '../runtime/types.js';

/** Sequences of equal length and what is to be predicted in them. */
export interface Batch {
  /** sequences */
  readonly batch: number;
  /** tokens read of each */
  readonly pos: number;
  /** [batch, pos] */
  readonly tokens: Int32Array;
  /** the token after each: [batch, pos] */
  readonly targets: Float32Array;
  /** how much each prediction counts: [batch, pos] */
  readonly weights: Float32Array;
}

/** Sequences as a batch; shorter ones are filled up with `padding`, which is neither judged nor seen by what is. */
export function batchOf(sequences: readonly (readonly number[])[], padding: number): Batch {
  const pos = Math.max(...sequences.map((sequence) => sequence.length)) - 1;
  const size = sequences.length * pos;
  const tokens = new Int32Array(size).fill(padding);
  const targets = new Float32Array(size).fill(padding);
  const weights = new Float32Array(size);
  sequences.forEach((sequence, row) => {
    for (let i = 0; i + 1 < sequence.length; i++) {
      tokens[row * pos + i] = sequence[i] ?? padding;
      targets[row * pos + i] = sequence[i + 1] ?? padding;
      weights[row * pos + i] = 1;
    }
  });
  return { batch: sequences.length, pos, tokens, targets, weights };
}

/** The batch on a runtime, under the names of the programs' inputs. */
export function batchTensors(
  runtime: Runtime,
  { batch, pos, tokens, targets, weights }: Batch,
): Record<string, Tensor> {
  const shape = [batch, pos];
  return {
    tokens: runtime.tensor(tokens, shape, 'int'),
    targets: runtime.tensor(targets, shape),
    weights: runtime.tensor(weights, shape),
  };
}
