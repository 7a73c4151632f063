import { expect } from 'chai';
import * as o from '../../src/program/index.js';
import type { Kernel, Runtime, Tensor } from '../../src/runtime/index.js';
import { onEveryRuntime } from './available.js';

const numbers = async (tensor: Tensor | undefined): Promise<number[]> => [...(await tensor!.read())];
const failure = async (run: () => Promise<unknown>): Promise<string> => {
  try {
    await run();
    return 'nothing was thrown';
  } catch (error) {
    return (error as Error).message;
  }
};

await onEveryRuntime('what the interface promises', ({ key, create }) => {
  let runtime: Runtime;
  before(async () => (runtime = await create()));
  after(() => runtime.dispose());

  it('it says what it is', () => {
    expect(runtime.info.key).to.equal(key);
    expect(runtime.info.title).to.match(/\d/);
  });

  describe('tensors', () => {
    it('give back what they were made of: floats, integers, none at all', async () => {
      const floats = runtime.tensor(Float32Array.of(1.5, -2, 0, 4), [2, 2]);
      const integers = runtime.tensor(Int32Array.of(7, -3, 2 ** 24 + 1), [3]);
      const none = runtime.tensor(new Float32Array(0), [0, 3]);
      expect([floats.dtype, integers.dtype, none.shape]).to.deep.equal(['float', 'int', [0, 3]]);
      expect(await numbers(floats)).to.deep.equal([1.5, -2, 0, 4]);
      expect(await integers.read()).to.deep.equal(Int32Array.of(7, -3, 2 ** 24 + 1));
      expect(await numbers(none)).to.deep.equal([]);
    });

    it('take float64 values, and values declared as the other type', async () => {
      expect(await numbers(runtime.tensor(Float64Array.of(0.5, 3), [2]))).to.deep.equal([0.5, 3]);
      const integers = runtime.tensor(Float32Array.of(4, 5), [2], 'int');
      expect(integers.dtype).to.equal('int');
      expect(await integers.read()).to.deep.equal(Int32Array.of(4, 5));
    });

    it('can be cut into rows, and put under another shape', async () => {
      const whole = runtime.tensor(
        Float32Array.from({ length: 12 }, (_, i) => i),
        [3, 2, 2],
      );
      const rows = runtime.rows(whole, 1, 3);
      expect(rows.shape).to.deep.equal([2, 2, 2]);
      expect(await numbers(rows)).to.deep.equal([4, 5, 6, 7, 8, 9, 10, 11]);
      expect(runtime.rows(whole, 2, 2).shape).to.deep.equal([0, 2, 2]);
      const flat = runtime.reshape(rows, [4, 2]);
      expect(flat.shape).to.deep.equal([4, 2]);
      expect(await numbers(runtime.rows(flat, 3, 4))).to.deep.equal([10, 11]);
    });

    it('refuse shapes that do not hold their values, and rows beyond their end', () => {
      expect(() => runtime.tensor(Float32Array.of(1, 2, 3), [2, 2])).to.throw('3 values do not fill a tensor [2, 2]');
      const four = runtime.tensor(Float32Array.of(1, 2, 3, 4), [2, 2]);
      expect(() => runtime.reshape(four, [3])).to.throw('[3]');
      expect(() => runtime.rows(four, 1, 3)).to.throw('[2, 2]');
    });

    it('may be disposed twice', () => {
      const tensor = runtime.tensor(Float32Array.of(1), [1]);
      tensor.dispose();
      expect(() => tensor.dispose()).not.to.throw();
    });
  });

  describe('kernels', () => {
    const x = o.input('x', ['n', 2]);
    const w = o.parameter('w', [2, 3]);
    const product = o.matmul(x, w);
    const program = o.makeProgram('projection', { x, product, total: o.sum(product, [0, 1]), turned: o.swapLast(w) });
    let kernel: Kernel;
    before(async () => (kernel = await runtime.prepare(program, { w: Float32Array.of(1, 2, 3, 4, 5, 6) })));
    after(() => kernel.dispose());

    const rows = (...values: number[]): Tensor => runtime.tensor(Float32Array.from(values), [values.length / 2, 2]);

    it('run for whatever sizes the named dims have, none included', async () => {
      expect(await numbers((await kernel.run({ x: rows(1, 0) }))['product'])).to.deep.equal([1, 2, 3]);
      const two = await kernel.run({ x: rows(1, 0, 0, 2) });
      expect(two['product']!.shape).to.deep.equal([2, 3]);
      expect(await numbers(two['product'])).to.deep.equal([1, 2, 3, 8, 10, 12]);
      expect(await numbers(two['total'])).to.deep.equal([36]);
      const none = await kernel.run({ x: rows() });
      expect(none['product']!.shape).to.deep.equal([0, 3]);
      expect(await numbers(none['total'])).to.deep.equal([0]);
    });

    it('return inputs and functions of parameters as tensors of the caller’s own', async () => {
      const given = rows(1, 2);
      const first = await kernel.run({ x: given });
      for (const tensor of Object.values(first)) tensor.dispose();
      expect(await numbers(given), 'the input outlives the output made of it').to.deep.equal([1, 2]);
      const second = await kernel.run({ x: given });
      expect(await numbers(second['x'])).to.deep.equal([1, 2]);
      expect(await numbers(second['turned'])).to.deep.equal([1, 4, 2, 5, 3, 6]);
    });

    it('return only what is wanted', async () => {
      const outputs = await kernel.run({ x: rows(1, 0) }, ['total']);
      expect(Object.keys(outputs)).to.deep.equal(['total']);
      expect(await numbers(outputs['total'])).to.deep.equal([6]);
    });

    it('refuse a wrong size, a missing, an unknown input, naming it and both shapes', async () => {
      const wrong = runtime.tensor(new Float32Array(3), [1, 3]);
      expect(await failure(() => kernel.run({ x: wrong }))).to.match(/projection.*\bx\b.*\[1, 3\].*\[n, 2\]/);
      expect(await failure(() => kernel.run({}))).to.match(/projection.*\bx\b.*\[n, 2\].*missing/);
      expect(await failure(() => kernel.run({ x: rows(1, 2), z: wrong }))).to.match(/projection.*\bz\b/);
    });

    it('refuse to be prepared without their parameters', async () => {
      expect(await failure(() => runtime.prepare(program))).to.match(/projection.*\bw\b.*\[2, 3\]/);
      expect(await failure(() => runtime.prepare(program, { w: new Float32Array(5) }))).to.match(/\bw\b.*6.*5/);
    });
  });
});
