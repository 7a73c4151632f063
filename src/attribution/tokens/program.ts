/** Programs as functions that can be explained. */
import {
  broadcast,
  differentiate,
  input,
  literal,
  makeProgram,
  mul,
  substitute,
  sum,
  type Value,
} from '../../program/index.js';
import type { Kernel, Runtime, Tensor, Tensors } from '../../runtime/types.js';
import type { ScalarFunction } from './function.js';
import type { LayeredFunction } from './layers.js';

/** An expression over one input, whose sizes are plain numbers. */
export interface Traced {
  /** made by `input` */
  readonly x: Value;
  /** one number */
  readonly output: Value;
}

export interface TracedLayer extends Traced {
  /** what `output` is computed from; it may read x beside it */
  readonly layer: Value;
}

interface Owned {
  dispose(): Promise<void>;
}

/** Vectors are the input's elements in C order. Cost: one run of the program per point. */
export async function programFunction(runtime: Runtime, { x, output }: Traced): Promise<ScalarFunction & Owned> {
  const kernel = await runtime.prepare(makeProgram('explained', withSlope(output, x)));
  const call: Call = { runtime, kernel };
  return { ...scalarFunction(call, (point) => [[x, point]]), dispose: () => kernel.dispose() };
}

/** The same, with a layer inside that can be looked at and replaced. */
export async function layeredFunction(
  runtime: Runtime,
  { x, layer, output }: TracedLayer,
): Promise<LayeredFunction & Owned> {
  const [y, chosen] = [input('layer', layer.shape), input('chosen', layer.shape)];
  const [rest] = substitute([output], new Map([[layer, y]])) as [Value];
  const neuron = sum(mul(layer, chosen), [...layer.shape.keys()]);
  const prepare = async (outputs: Readonly<Record<string, Value>>): Promise<Call> => ({
    runtime,
    kernel: await runtime.prepare(makeProgram('explained', outputs)),
  });
  const inside = await prepare({ value: layer });
  const after = await prepare(withSlope(rest, y));
  const single = await prepare(withSlope(neuron, x));
  const sizeOfLayer = layer.shape.reduce<number>((product, dim) => product * Number(dim), 1);
  return {
    layer: (point) => read(inside, [[x, point]], 'value'),
    rest: (held) =>
      scalarFunction(after, (values) => [
        [y, values],
        [x, held],
      ]),
    neuron: (index) => {
      const one = Float64Array.from({ length: sizeOfLayer }, (_, i) => (i === index ? 1 : 0));
      return scalarFunction(single, (point) => [
        [x, point],
        [chosen, one],
      ]);
    },
    dispose: async () => {
      for (const { kernel } of [inside, after, single]) await kernel.dispose();
    },
  };
}

const withSlope = (output: Value, x: Value): Readonly<Record<string, Value>> => {
  const gradient = broadcast(literal(1), output.shape);
  return { value: output, gradient: differentiate([{ of: output, gradient }], [x])[0] as Value };
};

interface Call {
  readonly runtime: Runtime;
  readonly kernel: Kernel;
}

type Given = readonly (readonly [input: Value, values: Float64Array])[];

function scalarFunction(call: Call, given: (point: Float64Array) => Given): ScalarFunction {
  return {
    atOnce: 1,
    values: async (points) => {
      const values = new Float64Array(points.length);
      for (const [i, point] of points.entries()) values[i] = (await read(call, given(point), 'value'))[0] as number;
      return values;
    },
    gradients: async (points) => {
      const gradients: Float64Array[] = [];
      for (const point of points) gradients.push(await read(call, given(point), 'gradient'));
      return gradients;
    },
  };
}

/** One output of a program, as a vector; inputs that the program does not read are left out. */
export async function read({ runtime, kernel }: Call, given: Given, output: string): Promise<Float64Array> {
  const inputs: Record<string, Tensor> = {};
  for (const [{ attributes, shape }, values] of given as readonly (readonly [Value<'input'>, Float64Array])[])
    if (kernel.program.inputs.some((one) => one.attributes.name === attributes.name))
      inputs[attributes.name] = runtime.tensor(precise(runtime, values), shape.map(Number));
  const outputs: Tensors = await kernel.run(inputs, [output]);
  const found = Float64Array.from(await (outputs[output] as Tensor).read());
  for (const tensor of [...Object.values(inputs), ...Object.values(outputs)]) tensor.dispose();
  return found;
}

const precise = ({ info }: Runtime, values: Float64Array): Float64Array | Float32Array =>
  info.precision === 'float64' ? values : Float32Array.from(values);
