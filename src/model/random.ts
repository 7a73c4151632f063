import { createHash } from 'node:crypto';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import type { ModelConfig, Weights } from './types.js';
import { weightShapes } from './weight-shapes.js';
import { checkIndices, slices, unknownWeight } from './weights.js';

/**
 * Weights drawn at random in the manner of GPT-2's initialisation, scaled so that activations stay of order 1: embeddings
 * have variance 1, matrices 1 / fan-in, what writes to the residual stream 1 / (fan-in · 2 nLayers), biases 0.1², norm
 * weights 1 ± 0.1. Uniform, so one draw per value. Nothing is held: every read generates anew, and every slice (a row; of the
 * unembedding a column) has its own generator, so that parts cost no more than their size.
 */
export const randomWeights = (config: ModelConfig, seed: number): Weights => {
  const shapes = new Map([...weightShapes(config)].map(([name, { shape }]) => [name, shape]));
  const cutOf = (name: string): Cut => cut(name, shapes.get(name) ?? unknownWeight(name));
  const draw = (name: string, indices: readonly number[]): Float32Array => {
    const { length } = cutOf(name);
    const out = new Float32Array(indices.length * length); // [indices, length]
    const { mean, deviation } = distribution(name, config);
    const half = (deviation * Math.sqrt(3)) / 2 ** 31; // uniform on ±sqrt(3)·deviation
    indices.forEach((index, i) => {
      const generator = xoroshiro128plus(sliceSeed(seed, name, index));
      for (let j = i * length; j < (i + 1) * length; j++) out[j] = mean + half * generator.next();
    });
    return out;
  };
  const read = (name: string): Float32Array => {
    const { axis, count, shape } = cutOf(name);
    const drawn = draw(name, [...Array(count).keys()]);
    return axis === -1 ? transpose(drawn, shape) : drawn;
  };
  const along = (name: string, axis: 0 | -1, indices: readonly number[]): Float32Array => {
    const { axis: own, shape } = cutOf(name);
    const wanted = checkIndices(name, indices, shape.at(axis) ?? 0);
    return axis === own ? draw(name, wanted) : slices(read(name), shape, { axis, indices: wanted });
  };
  return {
    shapes,
    read: async (name) => read(name),
    rows: async (name, rows) => along(name, 0, rows),
    columns: async (name, columns) => along(name, -1, columns),
    digest: async () =>
      createHash('sha256')
        .update(JSON.stringify(['random', seed, config]))
        .digest('hex'),
    close: async () => undefined,
  };
};

/** How a weight is cut into the slices that are drawn: along which axis (null: not at all), how many, of what length. */
interface Cut {
  readonly axis: 0 | -1 | null;
  readonly count: number;
  readonly length: number;
  readonly shape: readonly number[];
}

const cut = (name: string, shape: readonly number[]): Cut => {
  const elements = shape.reduce((product, size) => product * size, 1);
  if (shape.length === 1) return { axis: null, count: 1, length: elements, shape };
  const axis = name === 'unembed.W_U' ? -1 : 0;
  const count = shape.at(axis) ?? 1;
  return { axis, count, length: elements / count, shape };
};

const transpose = (columns: Float32Array, [rows = 0, width = 0]: readonly number[]): Float32Array => {
  const out = new Float32Array(columns.length);
  for (let c = 0; c < width; c++) for (let r = 0; r < rows; r++) out[r * width + c] = columns[c * rows + r] ?? 0;
  return out;
};

const sliceSeed = (seed: number, name: string, index: number): number =>
  createHash('sha256').update(`${seed} ${name} ${index}`).digest().readInt32LE();

interface Distribution {
  readonly mean: number;
  readonly deviation: number;
}

const distribution = (name: string, { nLayers, nHeads, dHead, dModel, dMlp }: ModelConfig): Distribution => {
  const weight = name.split('.').at(-1) ?? name;
  if (weight === 'w') return { mean: 1, deviation: 0.1 };
  if (weight.startsWith('b')) return { mean: 0, deviation: 0.1 };
  const deviations: Readonly<Record<string, number>> = {
    W_E: 1,
    W_pos: 0.5,
    W_O: 1 / Math.sqrt(nHeads * dHead * 2 * nLayers),
    W_out: 1 / Math.sqrt(dMlp * 2 * nLayers),
  };
  return { mean: 0, deviation: deviations[weight] ?? 1 / Math.sqrt(dModel) };
};
