/** Plain float64 loops, slow and obvious: the oracle that the other runtimes are tested against. */
import { evaluateShape, type DType, type Program } from '../../program/index.js';
import { bindInputs, checkConstants, checkRows, checkSize, sizeOf } from '../bind.js';
import type { Constant, Kernel, Runtime, Tensor, Tensors } from '../types.js';
import type { NdArray } from './array.js';
import { evaluate } from './evaluate.js';

export function createReferenceRuntime(): Runtime {
  return {
    info: { key: 'reference', title: 'reference, float64 loops, 1 thread', precision: 'float64', threads: 1 },
    prepare: (program, constants = {}) => {
      checkConstants(program, constants);
      return Promise.resolve(makeKernel(program, constants));
    },
    tensor: (values, shape, dtype = values instanceof Int32Array ? 'int' : 'float') => {
      checkSize(values.length, shape);
      return makeTensor({ shape, data: stored(values, dtype) });
    },
    rows: (tensor, start, end) => {
      const { shape, row } = checkRows(tensor.shape, start, end);
      return makeTensor({ shape, data: arrayOf(tensor).data.subarray(start * row, end * row) });
    },
    reshape: (tensor, shape) => {
      checkSize(sizeOf(tensor.shape), shape);
      return makeTensor({ shape, data: arrayOf(tensor).data });
    },
    dispose: () => Promise.resolve(),
  };
}

interface ReferenceTensor extends Tensor {
  readonly array: NdArray;
}

const makeTensor = (array: NdArray): ReferenceTensor => ({
  array,
  shape: array.shape,
  dtype: array.data instanceof Int32Array ? 'int' : 'float',
  read: () => Promise.resolve(array.data),
  dispose: () => undefined,
});

const arrayOf = (tensor: Tensor): NdArray => (tensor as ReferenceTensor).array;

const stored = (values: Constant, dtype: DType): NdArray['data'] =>
  dtype === 'int' ? Int32Array.from(values) : Float64Array.from(values);

function makeKernel(program: Program, constants: Readonly<Record<string, Constant>>): Kernel {
  const parameters = program.parameters.map(({ attributes, shape, dtype }) => {
    const data = stored(constants[attributes.name]!, dtype);
    return [attributes.name, { shape: evaluateShape(shape, {}), data }] as const;
  });
  const run = (inputs: Tensors, wanted: readonly string[] = Object.keys(program.outputs)): Tensors => {
    const bindings = bindInputs(program, inputs);
    const given = Object.entries(inputs).map(([name, tensor]) => [name, arrayOf(tensor)] as const);
    const outputs = evaluate(program, { leaves: new Map([...parameters, ...given]), bindings });
    return Object.fromEntries(wanted.map((key) => [key, makeTensor(outputs[key]!)]));
  };
  return {
    program,
    run: (inputs, wanted) => new Promise((resolve) => resolve(run(inputs, wanted))),
    dispose: () => Promise.resolve(),
  };
}
