/** Program derivatives against central differences in float64. */
import {
  differentiate,
  evaluateShape,
  input,
  makeProgram,
  type Bindings,
  type Value,
} from '../../src/program/index.js';
import { createReferenceRuntime } from '../../src/runtime/reference/index.js';
import type { Kernel } from '../../src/runtime/types.js';
import { fill, uniform, type Leaf } from './op-cases.js';

/** Third-order truncation h² against rounding 1e-16/h. */
const STEP = 1e-5;

export type Point = Readonly<Record<string, Float64Array | Int32Array>>;

export interface GradientCase {
  readonly leaves: Readonly<Record<string, Leaf>>;
  /** program inputs by name */
  readonly values: Readonly<Record<string, Value>>;
  readonly output: Value;
  readonly bindings: Bindings;
}

const runtime = createReferenceRuntime();

async function evaluateAt(kernel: Kernel, point: Point, bindings: Bindings): Promise<Record<string, Float64Array>> {
  const inputs = kernel.program.inputs.map(({ attributes, shape, dtype }) => {
    const tensor = runtime.tensor(point[attributes.name]!, evaluateShape(shape, bindings), dtype);
    return [attributes.name, tensor] as const;
  });
  const outputs = Object.entries(await kernel.run(Object.fromEntries(inputs)));
  const read = outputs.map(async ([key, tensor]) => [key, (await tensor.read()) as Float64Array] as const);
  return Object.fromEntries(await Promise.all(read));
}

export interface GradientComparison {
  readonly wrt: string;
  readonly analytic: Float64Array;
  readonly numeric: Float64Array;
}

/** Of a random weighting of the output's elements: its derivative by every float input, both ways. */
export async function compareGradients(one: GradientCase): Promise<GradientComparison[]> {
  const { leaves, values, output, bindings } = one;
  const random = uniform(7);
  const sizeOf = (shape: Value['shape']): number => evaluateShape(shape, bindings).reduce((a, b) => a * b, 1);
  const point: Record<string, Float64Array | Int32Array> = {
    cotangent: fill({ shape: output.shape }, sizeOf(output.shape), random),
  };
  for (const [name, leaf] of Object.entries(leaves)) point[name] = fill(leaf, sizeOf(leaf.shape), random);
  const wrt = Object.keys(leaves).filter((name) => leaves[name]!.dtype !== 'int');
  // inputs that a derivative no longer reads still bind named dims, so they are outputs as well
  const gradients = differentiate(
    [{ of: output, gradient: input('cotangent', output.shape) }],
    wrt.map((name) => values[name]!),
  );
  const kept = Object.fromEntries(wrt.map((name) => [`input ${name}`, values[name]!]));
  const backward = makeProgram('backward', {
    ...Object.fromEntries(wrt.map((name, i) => [name, gradients[i]!])),
    ...kept,
  });
  const forward = makeProgram('forward', { output });
  const analytic = await evaluateAt(await runtime.prepare(backward), point, bindings);
  const kernel = await runtime.prepare(forward);
  const weighted = async (): Promise<number> => {
    const result = await evaluateAt(kernel, point, bindings);
    return result['output']!.reduce((sum, y, i) => sum + y * point['cotangent']![i]!, 0);
  };
  const comparisons: GradientComparison[] = [];
  for (const name of wrt)
    comparisons.push({ wrt: name, analytic: analytic[name]!, numeric: await differences(point[name]!, weighted) });
  return comparisons;
}

async function differences(x: Float64Array | Int32Array, f: () => Promise<number>): Promise<Float64Array> {
  const slopes = new Float64Array(x.length);
  for (let i = 0; i < x.length; i++) {
    const centre = x[i]!;
    x[i] = centre + STEP;
    const above = await f();
    x[i] = centre - STEP;
    slopes[i] = (above - (await f())) / (2 * STEP);
    x[i] = centre;
  }
  return slopes;
}
