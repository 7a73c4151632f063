/** Program derivatives against central differences in float64. */
import { expect } from 'chai';
import {
  differentiate,
  evaluateShape,
  input,
  makeProgram,
  type Bindings,
  type Program,
  type Shape,
  type Value,
} from '../../src/program/index.js';
import { createReferenceRuntime } from '../../src/runtime/reference/index.js';
import type { Kernel } from '../../src/runtime/types.js';
import { fill, uniform, type Leaf } from './op-cases.js';

/** Third-order truncation h² against rounding 1e-16/h. */
const STEP = 1e-5;

type Point = Readonly<Record<string, Float64Array | Int32Array>>;

interface GradientCase {
  readonly leaves: Readonly<Record<string, Leaf>>;
  /** program inputs by name */
  readonly values: Readonly<Record<string, Value>>;
  readonly output: Value;
  readonly bindings: Bindings;
}

const runtime = createReferenceRuntime();

/** A program's outputs at a point, in float64. */
export const runReference = async (
  program: Program,
  point: Point,
  bindings: Bindings,
): Promise<Record<string, Float64Array>> => evaluateAt(await runtime.prepare(program), point, bindings);

async function evaluateAt(kernel: Kernel, point: Point, bindings: Bindings): Promise<Record<string, Float64Array>> {
  const inputs = kernel.program.inputs.map(({ attributes, shape, dtype }) => {
    const tensor = runtime.tensor(point[attributes.name]!, evaluateShape(shape, bindings), dtype);
    return [attributes.name, tensor] as const;
  });
  const outputs = Object.entries(await kernel.run(Object.fromEntries(inputs)));
  const read = outputs.map(async ([key, tensor]) => [key, (await tensor.read()) as Float64Array] as const);
  return Object.fromEntries(await Promise.all(read));
}

interface GradientComparison {
  readonly wrt: string;
  readonly analytic: Float64Array;
  readonly numeric: Float64Array;
}

/** Of a random weighting of the output's elements: its derivative by every float input, both ways. */
async function compareGradients({ leaves, values, output, bindings }: GradientCase): Promise<GradientComparison[]> {
  const random = uniform(7);
  const sizeOf = (shape: Shape): number => evaluateShape(shape, bindings).reduce((a, b) => a * b, 1);
  const cotangent = fill({ shape: output.shape }, sizeOf(output.shape), random);
  const filled = Object.entries(leaves).map(([name, leaf]) => [name, fill(leaf, sizeOf(leaf.shape), random)] as const);
  const point: Point = { cotangent, ...Object.fromEntries(filled) };
  const wrt = Object.keys(leaves).filter((name) => leaves[name]!.dtype !== 'int');
  const analytic = await runReference(backwardProgram(values, output, wrt), point, bindings);
  const forward = await runtime.prepare(makeProgram('forward', { output }));
  const weighted = async (): Promise<number> => {
    const result = await evaluateAt(forward, point, bindings);
    return result['output']!.reduce((sum, y, i) => sum + y * cotangent[i]!, 0);
  };
  const comparisons: GradientComparison[] = [];
  for (const name of wrt)
    comparisons.push({ wrt: name, analytic: analytic[name]!, numeric: await differences(point[name]!, weighted) });
  return comparisons;
}

function backwardProgram(values: GradientCase['values'], output: Value, wrt: readonly string[]): Program {
  const sources = wrt.map((name) => values[name]!);
  const gradients = differentiate([{ of: output, gradient: input('cotangent', output.shape) }], sources);
  // inputs that a derivative no longer reads still bind named dims, so they are outputs as well
  const kept = wrt.map((name, i) => [`input ${name}`, sources[i]!] as const);
  const asked = wrt.map((name, i) => [name, gradients[i]!] as const);
  return makeProgram('backward', Object.fromEntries([...asked, ...kept]));
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

/** Central differences leave about h² = 1e-10 of the third derivative and 1e-11 of rounding. */
const TOLERANCE = 1e-7;

/** Fails where a program's derivative is not what central differences say, naming the input and the element. */
export async function expectEqualGradients(one: GradientCase): Promise<void> {
  for (const { wrt, analytic, numeric } of await compareGradients(one)) {
    expect(analytic.length, `gradient by ${wrt}`).to.equal(numeric.length);
    numeric.forEach((slope, i) => {
      const distance = Math.abs(analytic[i]! - slope) / Math.max(1, Math.abs(slope));
      expect(distance, `by ${wrt}[${i}]: ${analytic[i]} but differences say ${slope}`).to.be.below(TOLERANCE);
    });
  }
}
