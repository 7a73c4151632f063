/** The runtime that computes shapes alone: sizes worked out by hand, and the shapes of a runtime that computes values. */
import { expect } from 'chai';
import * as p from '../../src/program/index.js';
import { createReferenceRuntime } from '../../src/runtime/reference/index.js';
import { createShapeRuntime } from '../../src/runtime/shapes/index.js';
import type { Runtime, Tensor } from '../../src/runtime/types.js';

const FLOAT32: Runtime = {
  ...createReferenceRuntime(),
  info: { key: 'any', title: '', precision: 'float32', threads: 1 },
};

/** Σ over the last axis of exp(a · b) + sin(a · b): [n, 8] · [8, 100]. */
const program = (): p.Program => {
  const product = p.matmul(p.input('a', ['n', 8]), p.input('b', [8, 100]));
  return p.makeProgram('sums', { sums: p.sum(p.add(p.exp(product), p.sin(product)), [-1]), product });
};

const zeros = (runtime: Runtime, shape: readonly number[]): Tensor =>
  runtime.tensor(new Float32Array(shape.reduce((a, b) => a * b, 1)), shape);

describe('the runtime of shapes', () => {
  it('counts what is held, while a kernel runs every intermediate up to its last use', async () => {
    const { runtime, meter } = createShapeRuntime(FLOAT32);
    const [a, b] = [zeros(runtime, [10, 8]), zeros(runtime, [8, 100])];
    expect(meter.peak).to.equal(4 * (80 + 800));
    const kernel = await runtime.prepare(program());
    const outputs = await kernel.run({ a, b }, ['sums']);
    // [10, 100] each: the product and its exponential; then the sine, which reads the product last; exp + sin in the place of one
    expect(meter.peak).to.equal(4 * (80 + 800 + 10 + 3 * 1000));
    expect(outputs['sums']!.shape).to.deep.equal([10]);
    expect(Array.from(await outputs['sums']!.read())).to.deep.equal(new Array(10).fill(0));
  });

  it('counts a wanted output once, with what the caller holds', async () => {
    const { runtime, meter } = createShapeRuntime(FLOAT32);
    const kernel = await runtime.prepare(program());
    const outputs = await kernel.run({ a: zeros(runtime, [10, 8]), b: zeros(runtime, [8, 100]) });
    expect(meter.peak).to.equal(4 * (80 + 800 + 10 + 1000 + 2 * 1000));
    const again = meter.peak;
    outputs['product']!.dispose();
    const other = zeros(runtime, [1000]);
    expect(meter.peak).to.equal(again);
    other.dispose();
  });

  it('shares what is only looked at otherwise, until the last tensor over it is disposed', () => {
    const { runtime, meter } = createShapeRuntime(FLOAT32);
    const whole = zeros(runtime, [4, 5]);
    const [row, flat] = [runtime.rows(whole, 1, 2), runtime.reshape(whole, [20])];
    expect([row.shape, flat.shape]).to.deep.equal([[1, 5], [20]]);
    whole.dispose();
    row.dispose();
    zeros(runtime, [1]).dispose();
    expect(meter.peak).to.equal(4 * 21);
    flat.dispose();
    zeros(runtime, [20]);
    expect(meter.peak).to.equal(4 * 21);
  });

  it('reckons with what a runtime keeps of disposed tensors', () => {
    const keeping = { bytes: 100, sizeOf: (bytes: number) => 16 * Math.ceil(bytes / 16) };
    const { runtime, meter } = createShapeRuntime({ ...FLOAT32, keeping });
    zeros(runtime, [5]).dispose(); // 32 bytes, kept
    const same = zeros(runtime, [6]); // the same 32
    expect(meter.peak).to.equal(32);
    same.dispose();
    zeros(runtime, [40]).dispose(); // 160 beside the 32; too much to be kept
    expect(meter.peak).to.equal(192);
    zeros(runtime, [32]);
    expect(meter.peak).to.equal(192);
  });

  it('gives every output the shape that a run with values gives it', async () => {
    const reference = createReferenceRuntime();
    const shapes = createShapeRuntime(reference).runtime;
    const run = async (runtime: Runtime): Promise<unknown> => {
      const kernel = await runtime.prepare(program());
      const outputs = await kernel.run({ a: zeros(runtime, [3, 8]), b: zeros(runtime, [8, 100]) });
      return Object.entries(outputs).map(([name, { shape, dtype }]) => [name, shape, dtype]);
    };
    expect(await run(shapes)).to.deep.equal(await run(reference));
  });
});
