import { evaluateDim } from '../../program/index.js';
import { sizeOf } from '../bind.js';
import { denseStrides } from '../strided.js';
import { expand, float, strided, type NdArray } from './array.js';
import type { Evaluate, PlainEvaluate } from './types.js';

const transpose: Evaluate<'transpose'> = ([x], { value, shape }) => {
  const strides = denseStrides(x!.shape);
  return strided(
    x!,
    shape,
    value.attributes.permutation.map((axis) => strides[axis]!),
  );
};

const reshape: PlainEvaluate = ([x], { shape }) => ({ shape, data: x!.data });

const broadcast: PlainEvaluate = ([x], { shape }) => expand(x!, shape);

/** Copies `x` to where `axis` starts at `start` in `into`; all other axes are equal. */
function place(x: NdArray, into: NdArray, { axis, start }: { axis: number; start: number }): void {
  const block = sizeOf(x.shape.slice(axis));
  const stride = sizeOf(into.shape.slice(axis));
  const offset = start * sizeOf(x.shape.slice(axis + 1));
  const blocks = sizeOf(x.shape.slice(0, axis));
  for (let i = 0; i < blocks; i++) into.data.set(x.data.subarray(i * block, (i + 1) * block), i * stride + offset);
}

const concat: Evaluate<'concat'> = (inputs, { value, shape }) => {
  const { axis } = value.attributes;
  const result = float(shape);
  let start = 0;
  for (const x of inputs) {
    place(x, result, { axis, start });
    start += x.shape[axis]!;
  }
  return result;
};

const slice: Evaluate<'slice'> = ([x], { value, shape, bindings }) => {
  const { axis, start } = value.attributes;
  const strides = denseStrides(x!.shape);
  return strided(x!, shape, strides, evaluateDim(start, bindings) * strides[axis]!);
};

const pad: Evaluate<'pad'> = ([x], { value, shape, bindings }) => {
  const { axis, before } = value.attributes;
  const result = float(shape);
  place(x!, result, { axis, start: evaluateDim(before, bindings) });
  return result;
};

const gather: Evaluate<'gather'> = ([x, indices], { value, shape }) => {
  const { axis } = value.attributes;
  const row = sizeOf(x!.shape.slice(axis + 1));
  const size = x!.shape[axis]!;
  const blocks = sizeOf(x!.shape.slice(0, axis));
  const result = float(shape);
  let at = 0;
  for (let block = 0; block < blocks; block++)
    for (const index of indices!.data) {
      if (index < 0 || index >= size) throw new Error(`gather: index ${index} of an axis with ${size} elements`);
      const from = (block * size + index) * row;
      result.data.set(x!.data.subarray(from, from + row), at);
      at += row;
    }
  return result;
};

const scatterAdd: PlainEvaluate = ([updates, indices], { shape }) => {
  const row = sizeOf(shape.slice(1));
  const result = float(shape);
  indices!.data.forEach((index, i) => {
    if (index < 0 || index >= shape[0]!)
      throw new Error(`scatterAdd: index ${index} of an axis with ${shape[0]} elements`);
    for (let j = 0; j < row; j++) result.data[index * row + j]! += updates!.data[i * row + j]!;
  });
  return result;
};

export const LAYOUT = { transpose, reshape, broadcast, concat, slice, pad, gather, scatterAdd };
