/**
 * Layout changes of a parameter are made once, when the program is prepared, so that the session sees a plain constant: a
 * constant 2-D right operand of a matrix product is prepacked, and the original is kept only if something reads it as it is.
 */
import { evaluateShape, type Value } from '../../program/index.js';
import { copyStrided, denseStrides } from '../strided.js';
import type { Constant } from '../types.js';

type Data = Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer>;

export interface FoldedParameter {
  readonly shape: readonly number[];
  readonly data: Data;
}

const FOLDED = ['input', 'transpose', 'reshape'];

/** Whether a value is a parameter or a layout change of one. */
export function isFolded(value: Value): boolean {
  if (value.op === 'input') return value.attributes.role === 'parameter';
  return FOLDED.includes(value.op) && value.inputs.every(isFolded);
}

export function foldParameter(value: Value, constants: Readonly<Record<string, Constant>>): FoldedParameter {
  const shape = evaluateShape(value.shape, {});
  if (value.op === 'input') return { shape, data: toStored(constants[value.attributes.name]!, value.dtype === 'int') };
  const source = foldParameter(value.inputs[0]!, constants);
  if (value.op !== 'transpose') return { shape, data: source.data };
  return { shape, data: transposed(source, value.attributes.permutation) };
}

function toStored(constant: Constant, isInt: boolean): Data {
  const Stored = isInt ? Int32Array : Float32Array;
  const plain = constant instanceof Stored && constant.buffer instanceof ArrayBuffer;
  return plain ? (constant as Data) : Stored.from(constant);
}

function transposed({ shape, data }: FoldedParameter, permutation: readonly number[]): Data {
  const strides = denseStrides(shape);
  const view = { shape: permutation.map((axis) => shape[axis]!), strides: permutation.map((axis) => strides[axis]!) };
  return data instanceof Float32Array
    ? copyStrided(data, new Float32Array(data.length), view)
    : copyStrided(data, new Int32Array(data.length), view);
}
