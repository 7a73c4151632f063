import { invariant } from '../errors.js';

/**
 * Where a named weight lies inside a stored tensor, written as a rearrangement in the notation of einops: the dimensions
 * as stored, an arrow, the dimensions as Thevenin names them. Parentheses factor or merge a dimension, slowest first.
 *
 *     'mlp d -> d mlp'                                  a transposed matrix
 *     '(head e) d -> head d e'                          heads stored as rows
 *     'd (qkv head e) -> head d e', at { qkv: 1 }       the second of three fused matrices
 */
export interface Layout {
  /** shape of the stored tensor, C order */
  readonly stored: readonly number[];
  /** shape of the named weight, C order */
  readonly shape: readonly number[];
  /** factors of the stored dimensions, in stored order; for each stored dimension a list, slowest first */
  readonly factors: readonly (readonly Factor[])[];
}

export interface Factor {
  readonly name: string;
  readonly size: number;
  /** the only index that belongs to the weight, or null: all do */
  readonly only: number | null;
  /** step in the named weight, in elements */
  readonly step: number;
  /** index in the stored dimension -> index in the named weight (-1: not wanted), where only some were asked for */
  readonly chosen?: Int32Array;
}

export interface LayoutSizes {
  readonly sizes: Readonly<Record<string, number>>;
  /** index picked of a stored factor that the weight does not have */
  readonly at?: Readonly<Record<string, number>>;
}

export const layout = (pattern: string, { sizes, at = {} }: LayoutSizes): Layout => {
  const [left, right] = pattern.split('->').map(dimensions);
  invariant(left && right, `layout '${pattern}' has no arrow`);
  const sizeOf = (name: string): number => {
    const size = sizes[name];
    invariant(size !== undefined, `layout '${pattern}' has no size for '${name}'`);
    return size;
  };
  const steps = stepsOf(right.flat(), sizeOf);
  const factor = (name: string): Factor => {
    const step = steps.get(name);
    invariant(step !== undefined || at[name] !== undefined, `layout '${pattern}' loses '${name}'`);
    return { name, size: sizeOf(name), only: at[name] ?? null, step: step ?? 0 };
  };
  const extent = (names: readonly string[]): number => names.reduce((product, name) => product * sizeOf(name), 1);
  return { stored: left.map(extent), shape: right.map(extent), factors: left.map((names) => names.map(factor)) };
};

const dimensions = (side: string): string[][] =>
  (side.match(/\([^)]*\)|\S+/g) ?? []).map((part) => part.replace(/[()]/g, '').trim().split(/\s+/));

const stepsOf = (names: readonly string[], sizeOf: (name: string) => number): Map<string, number> => {
  const steps = new Map<string, number>();
  let step = 1;
  for (const name of names.toReversed()) {
    steps.set(name, step);
    step *= sizeOf(name);
  }
  return steps;
};

/**
 * The same layout with only the chosen (distinct) indices of one axis of the named weight, in the given order; null where
 * that axis is merged from several factors.
 */
export const choose = (of: Layout, axis: number, indices: readonly number[]): Layout | null => {
  const { shape, factors } = of;
  const axisStep = shape.slice(axis + 1).reduce((product, size) => product * size, 1);
  const axisSize = shape[axis] ?? 0;
  const own = factors.flat().find((f) => f.only === null && f.step === axisStep && f.size === axisSize && axisSize > 1);
  if (!own) return null;
  const chosen = new Int32Array(own.size).fill(-1);
  indices.forEach((index, to) => (chosen[index] = to));
  const rescale = (f: Factor): Factor => {
    if (f === own) return { ...f, chosen };
    const slower = f.step >= axisStep * axisSize;
    return slower ? { ...f, step: (f.step / axisSize) * indices.length } : f;
  };
  return {
    stored: of.stored,
    shape: shape.with(axis, indices.length),
    factors: factors.map((dimension) => dimension.map(rescale)),
  };
};

/** For every index of a stored dimension (or several merged ones): its offset in the named weight, -1 where not wanted. */
export const offsetTable = (factors: readonly Factor[]): Float64Array => {
  let table = Float64Array.of(0);
  for (const factor of factors) {
    const next = new Float64Array(table.length * factor.size);
    let at = 0;
    for (const base of table) for (let i = 0; i < factor.size; i++) next[at++] = base < 0 ? -1 : plus(base, factor, i);
    table = next;
  }
  return table;
};

const plus = (base: number, { only, chosen, step }: Factor, index: number): number => {
  if (only !== null) return index === only ? base : -1;
  const to = chosen ? (chosen[index] ?? -1) : index;
  return to < 0 ? -1 : base + to * step;
};
