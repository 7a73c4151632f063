/** One program, on the reference runtime and on another, from the same numbers. */
import { expect } from 'chai';
import { evaluateShape, type Bindings, type Program } from '../../src/program/index.js';
import { createReferenceRuntime } from '../../src/runtime/reference/index.js';
import type { Runtime, Tensor } from '../../src/runtime/types.js';

export type Numbers = Readonly<Record<string, Float64Array | Int32Array>>;

export interface Setting {
  readonly program: Program;
  readonly bindings: Bindings;
  /** inputs and parameters by name; more than the program has does no harm */
  readonly numbers: Numbers;
}

interface Result {
  readonly shape: readonly number[];
  readonly values: ArrayLike<number>;
}

/** A program's inputs on a runtime. */
export const feed = (runtime: Runtime, { program, bindings, numbers }: Setting): Record<string, Tensor> =>
  Object.fromEntries(
    program.inputs.map(({ attributes, shape, dtype }) => [
      attributes.name,
      runtime.tensor(numbers[attributes.name]!, evaluateShape(shape, bindings), dtype),
    ]),
  );

/** Every output of one run, read; nothing is left on the device. */
async function runOn(runtime: Runtime, setting: Setting): Promise<Record<string, Result>> {
  const kernel = await runtime.prepare(setting.program, setting.numbers);
  const inputs = feed(runtime, setting);
  const outputs = await kernel.run(inputs);
  const results: Record<string, Result> = {};
  for (const [key, tensor] of Object.entries(outputs))
    results[key] = { shape: [...tensor.shape], values: (await tensor.read()).slice() };
  for (const tensor of [...Object.values(inputs), ...Object.values(outputs)]) tensor.dispose();
  await kernel.dispose();
  return results;
}

const reference = createReferenceRuntime();

/** Holds a runtime to the reference, output by output, within what `toleranceOf` allows relative to the largest number. */
export async function expectReference(
  runtime: Runtime,
  setting: Setting,
  toleranceOf: (output: string) => number,
): Promise<void> {
  const expected = await runOn(reference, setting);
  const actual = await runOn(runtime, setting);
  expect(Object.keys(actual)).to.have.members(Object.keys(expected));
  for (const [key, { shape, values }] of Object.entries(expected)) {
    expect(actual[key]!.shape, `shape of ${key}`).to.deep.equal(shape);
    expect(distance(actual[key]!.values, values), `relative distance of ${key}`).to.be.at.most(toleranceOf(key));
  }
}

/** max |a − b| / max |b|; Infinity where one is finite and the other is not. */
function distance(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  let worst = 0;
  let scale = 0;
  for (let i = 0; i < expected.length; i++) {
    const [a, b] = [actual[i]!, expected[i]!];
    if (Object.is(a, b)) continue;
    if (!Number.isFinite(a) || !Number.isFinite(b)) return Infinity;
    worst = Math.max(worst, Math.abs(a - b));
  }
  for (let i = 0; i < expected.length; i++) scale = Math.max(scale, Math.abs(expected[i]!));
  return worst === 0 ? 0 : worst / (scale || 1);
}
