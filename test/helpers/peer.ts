import type { Batch } from '../../src/engine/core/batches.js';
import { batchOf, contrast } from './engine.js';
import { golden } from './model-files.js';
import { openTables, type Table } from './safetensors.js';

export interface Peer {
  readonly batch: Batch;
  readonly golden: (name: string) => Table;
  /** [edge or node, example]; sign of the metric's change: negative where an edge helps */
  readonly edges: (name: string) => Table;
  readonly patching: (name: string) => Table;
}

export function readPeer(architecture: string): Peer {
  const file = (name: string) => openTables(golden('architectures', architecture, `${name}.safetensors`));
  const tables = file('golden');
  const [prompts, corrupt, labels] = [tables('clean.ids'), tables('corrupt.ids'), tables('labels').values];
  const [examples, length] = prompts.shape as [number, number];
  const row = ({ values }: Table, i: number): number[] => [...values.subarray(i * length, (i + 1) * length)];
  const pairs = Array.from({ length: examples }, (_, i) => {
    const answers = [contrast(length - 1, labels[2 * i]!, labels[2 * i + 1]!)];
    return { clean: row(prompts, i), corrupt: row(corrupt, i), answers };
  });
  return { batch: batchOf(pairs), golden: tables, edges: file('edges'), patching: (name) => file('patching')(name) };
}
