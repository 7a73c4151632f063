import { createHash } from 'node:crypto';
import { refuse } from '../errors.js';
import type { Layout } from './layout.js';
import { choose } from './layout.js';
import type { TensorStore } from './tensor-store.js';
import { checkStored } from './tensor-store.js';
import type { Weights } from './types.js';

/** A named weight as a part of a stored tensor. */
export interface StoredWeight {
  readonly tensor: string;
  readonly layout: Layout;
}

/**
 * Weights over open files; nothing is read before it is asked for, but every stored tensor's presence, type and shape is checked at once.
 * @throws weights/missing, weights/type, weights/shape
 */
export const storedWeights = (store: TensorStore, places: ReadonlyMap<string, StoredWeight>): Weights => {
  for (const { tensor, layout } of places.values()) checkStored(store.tensors, tensor, layout);
  const place = (name: string): StoredWeight => places.get(name) ?? unknownWeight(name);
  const read = ({ tensor, layout }: StoredWeight): Promise<Float32Array> => store.read(tensor, layout);
  const shapes = new Map([...places].map(([name, { layout }]) => [name, layout.shape]));
  const along = async (name: string, axis: number, indices: readonly number[]): Promise<Float32Array> => {
    const whole = place(name);
    const distinct = [...new Set(checkIndices(name, indices, shapes.get(name)?.at(axis) ?? 0))];
    const part = choose(whole.layout, axis, distinct);
    const values = await read(part ? { ...whole, layout: part } : whole);
    const slot = new Map(distinct.map((index, to) => [index, to]));
    const wanted = part ? indices.map((index) => slot.get(index) ?? 0) : indices;
    return slices(values, (part ?? whole.layout).shape, { axis, indices: wanted });
  };
  return {
    shapes,
    read: async (name) => read(place(name)),
    rows: (name, rows) => along(name, 0, rows),
    columns: (name, columns) => along(name, (shapes.get(name)?.length ?? 1) - 1, columns),
    digest: () => store.digest(),
    close: () => store.close(),
  };
};

/** Weights that are already in memory, for training and for models made by hand. */
export const memoryWeights = (
  tensors: Readonly<Record<string, { readonly shape: readonly number[]; readonly data: Float32Array }>>,
): Weights => {
  const at = (name: string) => tensors[name] ?? unknownWeight(name);
  const along = (name: string, axis: number, indices: readonly number[]): Float32Array => {
    const { shape, data } = at(name);
    return slices(data, shape, { axis, indices: checkIndices(name, indices, shape.at(axis) ?? 0) });
  };
  return {
    shapes: new Map(Object.entries(tensors).map(([name, { shape }]) => [name, shape])),
    read: async (name) => at(name).data,
    rows: async (name, rows) => along(name, 0, rows),
    columns: async (name, columns) => along(name, -1, columns),
    digest: async () => digestTensors(tensors),
    close: async () => undefined,
  };
};

const digestTensors = (
  tensors: Readonly<Record<string, { readonly shape: readonly number[]; readonly data: Float32Array }>>,
): string => {
  const hash = createHash('sha256');
  for (const [name, { shape, data }] of Object.entries(tensors).sort(([a], [b]) => (a < b ? -1 : 1))) {
    hash.update(`${name} [${shape.join(',')}]\n`);
    hash.update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }
  return hash.digest('hex');
};

export const unknownWeight = (name: string): never =>
  refuse('weights/missing', `the model has no weight '${name}'; ask for one of its \`shapes\``);

/** The indices, once it is sure that an axis of that size has them. @throws tokenizer/id */
export const checkIndices = (name: string, indices: readonly number[], size: number): readonly number[] => {
  for (const index of indices)
    if (!Number.isInteger(index) || index < 0 || index >= size)
      refuse('tokenizer/id', `${index} is not an index of '${name}', which has ${size}; ids go from 0 to ${size - 1}`);
  return indices;
};

/** Chosen slices along the first or the last axis, one after the other: [indices, rest]. */
export const slices = (
  data: Float32Array,
  shape: readonly number[],
  { axis, indices }: { readonly axis: number; readonly indices: readonly number[] },
): Float32Array => {
  const size = shape.at(axis) ?? 0;
  const rest = size === 0 ? 0 : data.length / size;
  const first = axis === 0;
  const out = new Float32Array(indices.length * rest);
  indices.forEach((index, i) => {
    if (first) return out.set(data.subarray(index * rest, (index + 1) * rest), i * rest);
    for (let r = 0; r < rest; r++) out[i * rest + r] = data[r * size + index] ?? 0;
  });
  return out;
};
