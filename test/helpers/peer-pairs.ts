/** The four pairs of an architecture's golden, and its tables. */
import type { Example } from '../../src/task/types.js';
import { batchOf, contrast } from './engine.js';
import { golden } from './model-files.js';
import { openTables, type Table } from './safetensors.js';

export const tablesOf = (architecture: string, file: string): ((name: string) => Table) =>
  openTables(golden('architectures', architecture, `${file}.safetensors`));

export function pairsOf(architecture: string): readonly Example[] {
  const peer = tablesOf(architecture, 'golden');
  const [clean, corrupt, labels] = ['clean.ids', 'corrupt.ids', 'labels'].map((name) => peer(name));
  const [count = 0, length = 0] = clean!.shape;
  const pair = (i: number) => ({
    clean: [...clean!.values.subarray(i * length, (i + 1) * length)],
    corrupt: [...corrupt!.values.subarray(i * length, (i + 1) * length)],
    answers: [contrast(length - 1, labels!.values[2 * i]!, labels!.values[2 * i + 1]!)],
  });
  return batchOf(Array.from({ length: count }, (_, i) => pair(i))).examples;
}
