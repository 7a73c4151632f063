import { createRequire } from 'node:module';
import { expect } from 'chai';
import * as o from '../../src/program/index.js';
import type { Runtime } from '../../src/runtime/index.js';
import { onEveryRuntime } from './available.js';
import { transformerNumbers, transformerProgram } from './transformer.js';

/** What the tfjs in this process holds: all its backends share one count. */
function held(): { tensors: number; bytes: number } {
  const tf = createRequire(import.meta.url)('@tensorflow/tfjs') as typeof import('@tensorflow/tfjs');
  const { numTensors, numBytes } = tf.memory();
  return { tensors: numTensors, bytes: numBytes };
}

await onEveryRuntime(
  'tfjs holds no more than it must',
  ({ key, create }) => {
    let runtime: Runtime;
    before(async () => (runtime = await create()));
    after(() => runtime.dispose());

    const program = transformerProgram(1);
    const numbers = transformerNumbers(1, [1, 3]);
    const inputs = () => ({
      tokens: runtime.tensor(numbers['tokens']!, [1, 3]),
      places: runtime.tensor(numbers['places']!, [3]),
      position: runtime.tensor(numbers['position']!, [3]),
      answers: runtime.tensor(numbers['answers']!, [1, 3, 11]),
    });

    it('over 100 runs of a transformer, two of them with its gradient', async function () {
      this.timeout(0); // a software graphics card takes its time
      const kernel = await runtime.prepare(program, numbers);
      const given = inputs();
      const before = held();
      for (let run = 0; run < 100; run++) {
        const outputs = await kernel.run(given, run % 50 === 0 ? undefined : ['metric']);
        await outputs['metric']!.read();
        for (const output of Object.values(outputs)) output.dispose();
        expect(held(), `after run ${run}`).to.deep.equal(before);
      }
      for (const tensor of Object.values(given)) tensor.dispose();
      await kernel.dispose();
    });

    it('nothing when kernel and tensors are disposed', async () => {
      const before = held();
      const kernel = await runtime.prepare(program, numbers);
      const given = inputs();
      const outputs = await kernel.run(given, ['metric', 'gradient W_E']);
      for (const tensor of [...Object.values(outputs), ...Object.values(given)]) tensor.dispose();
      await kernel.dispose();
      expect(held()).to.deep.equal(before);
    });

    it('no constants when the runtime is disposed with its kernels', async () => {
      const before = held();
      const another = await create();
      await another.prepare(program, numbers);
      expect(held().tensors).to.be.above(before.tensors);
      await another.dispose();
      expect(held()).to.deep.equal(before);
    });

    if (key.startsWith('tfjs-node'))
      it('nothing of a run that fails half way', async () => {
        const x = o.input('x', ['n', 2]);
        const rows = o.input('rows', ['m'], 'int');
        const kernel = await runtime.prepare(o.makeProgram('lookup', { y: o.gather(o.exp(o.mul(x, 2)), rows, 0) }));
        const given = {
          x: runtime.tensor(new Float32Array(6), [3, 2]),
          rows: runtime.tensor(Int32Array.of(1, 99), [2]),
        };
        const before = held();
        const failed = await kernel.run(given).catch((error: Error) => error);
        expect(failed).to.be.instanceOf(Error);
        expect(held()).to.deep.equal(before);
        for (const tensor of Object.values(given)) tensor.dispose();
        await kernel.dispose();
      });
  },
  (key) => key.startsWith('tfjs'),
);
