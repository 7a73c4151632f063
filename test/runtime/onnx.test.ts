import { expect } from 'chai';
import * as o from '../../src/program/index.js';
import { createOnnxRuntime } from '../../src/runtime/onnx/index.js';
import { lowerProgram } from '../../src/runtime/onnx/lower.js';
import { Pool } from '../../src/runtime/onnx/pool.js';
import type { Runtime } from '../../src/runtime/types.js';

const ramp = (size: number): Float32Array => Float32Array.from({ length: size }, (_, i) => i);

describe('a program as an ONNX model', () => {
  const x = o.input('x', ['batch', 300]);
  const w = o.parameter('w', [200, 300]);

  it('holds a transposed weight the way the product reads it, and no second copy', () => {
    const program = o.makeProgram('layer', { y: o.matmul(x, o.swapLast(w)) });
    const { external } = lowerProgram(program, { w: ramp(60_000) });
    expect(external.map(({ data }) => data.byteLength)).to.deep.equal([240_000]);
    const stored = new Float32Array(external[0]!.data.buffer);
    expect([...stored.subarray(0, 3), stored[200]]).to.deep.equal([0, 300, 600, 1]); // [300, 200]
  });

  it('holds a weight both ways only where both are read', () => {
    const read = o.matmul(o.matmul(x, o.swapLast(w)), w);
    const { external } = lowerProgram(o.makeProgram('both', { read }), { w: ramp(60_000) });
    expect(external).to.have.length(2);
  });

  it('is small: large weights are handed over beside it', () => {
    const program = o.makeProgram('layer', { y: o.matmul(x, o.swapLast(w)) });
    expect(lowerProgram(program, { w: ramp(60_000) }).model.byteLength).to.be.below(2_000);
  });

  it('is fed only the sizes that Reshape cannot work out', () => {
    const fed = (y: o.Value): o.Shape[] =>
      lowerProgram(o.makeProgram('sizes', { y }), {}).fedShapes.map(({ dims }) => dims);
    const tokens = o.input('tokens', ['batch', 'pos', 4]);
    expect(fed(o.reshape(tokens, ['batch', 'pos', 2, 2])), 'copied dims').to.deep.equal([]);
    expect(fed(o.reshape(tokens, ['batch*pos', 4])), 'one dim left over').to.deep.equal([]);
    const flat = o.input('flat', ['batch*pos', 4]);
    expect(fed(o.reshape(flat, ['batch', 'pos', 4])), 'two').to.deep.equal([['batch', 'pos', 4]]);
  });
});

describe('memory of disposed outputs', () => {
  it('is handed out again for as much, rounded up by at most an eighth', () => {
    const pool = new Pool();
    const block = pool.take(1_000_000);
    expect(block.buffer.byteLength).to.be.within(1_000_000, 1_125_000);
    block.retain();
    block.release();
    expect(pool.take(1_000_001).buffer).to.equal(block.buffer);
    expect(pool.take(1_000_000).buffer, 'it is taken').not.to.equal(block.buffer);
  });

  it('is kept for its last owner, and left alone where someone has read it', () => {
    const pool = new Pool();
    const shared = pool.take(100_000);
    shared.retain();
    shared.retain();
    shared.release();
    expect(pool.take(100_000).buffer, 'one owner left').not.to.equal(shared.buffer);
    shared.expose();
    shared.release();
    expect(pool.take(100_000).buffer, 'it was read').not.to.equal(shared.buffer);
  });

  it('is bounded: the least recently used goes first', () => {
    const pool = new Pool(3_000_000);
    const blocks = [1, 1.5, 1.25, 1].map((size) => pool.take(size * 2 ** 20));
    for (const block of blocks) {
      block.retain();
      block.release();
    }
    expect(pool.take(1.25 * 2 ** 20).buffer, 'recent').to.equal(blocks[2]!.buffer);
    expect(pool.take(1.5 * 2 ** 20).buffer, 'evicted').not.to.equal(blocks[1]!.buffer);
  });
});

describe('onnxruntime', () => {
  let runtime: Runtime;
  before(async () => (runtime = await createOnnxRuntime({ threads: 2 })));
  after(() => runtime.dispose());

  const SIZE = 30_000; // large enough that memory is reused
  const x = o.input('x', ['n']);
  const doubling = o.makeProgram('doubling', { y: o.mul(x, 2) });

  it('never writes over values that were read, or that a view still holds', async () => {
    const kernel = await runtime.prepare(doubling);
    const run = async (values: Float32Array) =>
      (await kernel.run({ x: runtime.tensor(values, [values.length]) }))['y']!;
    const read = await run(ramp(SIZE));
    const values = await read.read();
    const viewed = await run(ramp(SIZE));
    const view = runtime.rows(viewed, 1, 3);
    read.dispose();
    viewed.dispose();
    (await run(new Float32Array(SIZE))).dispose();
    const later = await run(new Float32Array(SIZE));
    expect([...values.slice(0, 4)]).to.deep.equal([0, 2, 4, 6]);
    expect([...(await view.read())]).to.deep.equal([2, 4]);
    expect((await later.read()).every((value) => value === 0)).to.equal(true);
  });

  it('multiplies over no elements to zeros, whatever the memory held before', async () => {
    const a = o.input('a', ['batch', 'n', 120]);
    const b = o.input('b', ['batch', 'n', 120]);
    const program = o.makeProgram('outer', { y: o.matmul(o.swapLast(a), b) });
    const kernel = await runtime.prepare(program);
    const run = async (n: number) => {
      const ones = runtime.tensor(new Float32Array(2 * n * 120).fill(1), [2, n, 120]);
      return (await kernel.run({ a: ones, b: ones }))['y']!;
    };
    (await run(3)).dispose();
    expect((await (await run(0)).read()).every((value) => value === 0)).to.equal(true);
  });

  it('reads parameters through transpositions and reshapes as the program says', async () => {
    const table = o.parameter('table', [2, 3]);
    const turned = o.transpose(o.reshape(o.swapLast(table), [3, 2, 1]), [2, 1, 0]); // [1, 2, 3]
    const kernel = await runtime.prepare(o.makeProgram('turned', { turned, table }), { table: ramp(6) });
    const { turned: folded, table: same } = await kernel.run({});
    expect(folded!.shape).to.deep.equal([1, 2, 3]);
    expect([...(await folded!.read())]).to.deep.equal([0, 1, 2, 3, 4, 5]);
    expect([...(await same!.read())]).to.deep.equal([0, 1, 2, 3, 4, 5]);
  });

  it('names the program in which an index is beyond its table', async () => {
    const lookup = o.gather(o.parameter('table', [2, 1]), o.input('i', ['n'], 'int'), 0);
    const kernel = await runtime.prepare(o.makeProgram('lookup', { lookup }), { table: ramp(2) });
    const failed = await kernel.run({ i: runtime.tensor(Int32Array.of(7), [1]) }).catch((error: Error) => error);
    expect(failed).to.be.instanceOf(Error);
    expect((failed as Error).message).to.match(/^lookup: .*7/);
  });

  it('refuses tensors that were disposed, or that another runtime made', async () => {
    const kernel = await runtime.prepare(doubling);
    const gone = runtime.tensor(ramp(2), [2]);
    gone.dispose();
    const message = async (tensor: typeof gone) =>
      kernel.run({ x: tensor }).then(
        () => 'no error',
        (error: Error) => error.message,
      );
    expect(await message(gone)).to.equal('a tensor [2] was used after it was disposed');
    const foreign = {
      ...gone,
      shape: [2],
      dtype: 'float' as const,
      read: () => Promise.resolve(ramp(2)),
      dispose() {},
    };
    expect(await message(foreign)).to.include('another runtime');
  });
});
