/** The parameters of a model in training: one flat vector, of which every weight is a slice. */
import { input, reshape, slice, type Value } from '../program/index.js';
import type { Random } from '../task/random.js';
import { weightSpecs, type Blueprint, type WeightSpec } from './forward.js';
import { gaussian } from '../task/gaussian.js';

/** Where a weight lies in the flat vector. */
export interface Slot extends WeightSpec {
  /** first element */
  readonly start: number;
  /** first element after it */
  readonly end: number;
}

export function parameterSlots(blueprint: Blueprint): Slot[] {
  let end = 0;
  return weightSpecs(blueprint).map((spec) => {
    const start = end;
    end += spec.shape.reduce((product, n) => product * n, 1);
    return { ...spec, start, end };
  });
}

export const parameterCount = (slots: readonly Slot[]): number => slots.at(-1)?.end ?? 0;

/** The symbolic flat vector and the weights cut from it, by name. */
export function symbolicParameters(slots: readonly Slot[]): { flat: Value; weights: Map<string, Value> } {
  const flat = input('parameters', [parameterCount(slots)]);
  const cut = (slot: Slot): Value => reshape(slice(flat, 0, [slot.start, slot.end]), slot.shape);
  return { flat, weights: new Map(slots.map((slot) => [slot.name, cut(slot)])) };
}

/** Norms and biases are vectors; everything else is a matrix or a table of rows. */
const isMatrix = ({ shape }: Slot): boolean => shape.length > 1;
const isNormWeight = ({ name, shape }: Slot): boolean => shape.length === 1 && /ln\w+\.weight$/.test(name);

const EMBEDDING_SPREAD = 0.05;

/** Standard deviation at the start: 1/√fan-in; what writes to the residual stream is smaller by √(how many write to it). */
function spread({ name, shape }: Slot, { config }: Blueprint): number {
  if (name === 'embed' || name === 'positions') return EMBEDDING_SPREAD;
  const writers = config.nLayers * (config.dMlp === 0 ? 1 : 2);
  const writes = /\.(o\.weight|mlp\.out)$/.test(name);
  return 1 / Math.sqrt((shape[0] ?? 1) * (writes ? writers : 1));
}

export function initialParameters(blueprint: Blueprint, random: Random): Float32Array {
  const slots = parameterSlots(blueprint);
  const values = new Float32Array(parameterCount(slots));
  const normal = gaussian(random);
  for (const slot of slots) {
    if (isNormWeight(slot)) values.fill(1, slot.start, slot.end);
    if (!isMatrix(slot)) continue;
    const scale = spread(slot, blueprint);
    for (let i = slot.start; i < slot.end; i++) values[i] = scale * normal();
  }
  return values;
}

/** 1 for the elements of matrices, which decay; 0 for norms and biases, which do not. */
export function decayMask(slots: readonly Slot[]): Float32Array {
  const mask = new Float32Array(parameterCount(slots));
  for (const slot of slots.filter(isMatrix)) mask.fill(1, slot.start, slot.end);
  return mask;
}

/** A model in training, taken apart into its weights; views, not copies. */
export const weightValues = (blueprint: Blueprint, flat: Float32Array): Map<string, Float32Array> =>
  new Map(parameterSlots(blueprint).map(({ name, start, end }) => [name, flat.subarray(start, end)]));
