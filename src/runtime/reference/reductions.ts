import { sizeOf } from '../bind.js';
import { broadcastIndex, float, type NdArray } from './array.js';
import type { Evaluate, PlainEvaluate } from './types.js';

type Reduction = 'sum' | 'mean' | 'max';

/** Folds every element into the place its reduced axes leave. */
const reduce =
  (start: number, fold: (sofar: number, x: number) => number): Evaluate<Reduction> =>
  ([x], { value, shape }) => {
    const kept = x!.shape.map((size, axis) => (value.attributes.axes.includes(axis) ? 1 : size));
    const into = broadcastIndex(kept, x!.shape);
    const result = float(shape, new Float64Array(sizeOf(shape)).fill(start));
    x!.data.forEach((element, i) => (result.data[into[i]!] = fold(result.data[into[i]!]!, element)));
    return result;
  };

const sum = reduce(0, (sofar, x) => sofar + x);

const mean: Evaluate<Reduction> = (inputs, evaluation) => {
  const total = sum(inputs, evaluation);
  const count = evaluation.value.attributes.axes.reduce((product, axis) => product * inputs[0]!.shape[axis]!, 1);
  return float(
    total.shape,
    Float64Array.from(total.data, (x) => x / count),
  );
};

/** Applies a rule to each row along the last axis. */
function eachRow(x: NdArray, rule: (row: Float64Array, out: Float64Array) => void): NdArray {
  const width = x.shape.at(-1) ?? 1;
  const [source, result] = [x.data as Float64Array, float(x.shape)];
  for (let at = 0; at < source.length; at += width)
    rule(source.subarray(at, at + width), result.data.subarray(at, at + width));
  return result;
}

/** log Σ exp, with the largest taken out so that nothing overflows */
function logSumExp(row: Float64Array): number {
  const largest = row.reduce((a, b) => Math.max(a, b), -Infinity);
  return largest + Math.log(row.reduce((total, x) => total + Math.exp(x - largest), 0));
}

const softmax: PlainEvaluate = ([x]) =>
  eachRow(x!, (row, out) => {
    const total = logSumExp(row);
    row.forEach((element, i) => (out[i] = Math.exp(element - total)));
  });

const logSoftmax: PlainEvaluate = ([x]) =>
  eachRow(x!, (row, out) => {
    const total = logSumExp(row);
    row.forEach((element, i) => (out[i] = element - total));
  });

const average = (row: Float64Array, f: (x: number) => number): number =>
  row.reduce((total, x) => total + f(x), 0) / row.length;

const layerNorm: Evaluate<'layerNorm'> = ([x, weight, bias], { value }) =>
  eachRow(x!, (row, out) => {
    const centre = average(row, (element) => element);
    const deviation = Math.sqrt(average(row, (element) => (element - centre) ** 2) + value.attributes.eps);
    row.forEach((element, i) => (out[i] = ((element - centre) / deviation) * weight!.data[i]! + bias!.data[i]!));
  });

const rmsNorm: Evaluate<'rmsNorm'> = ([x, weight], { value }) =>
  eachRow(x!, (row, out) => {
    const size = Math.sqrt(average(row, (element) => element ** 2) + value.attributes.eps);
    row.forEach((element, i) => (out[i] = (element / size) * weight!.data[i]!));
  });

export const REDUCTIONS = { sum, mean, max: reduce(-Infinity, Math.max), softmax, logSoftmax, layerNorm, rmsNorm };
