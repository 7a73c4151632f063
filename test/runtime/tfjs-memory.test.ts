import { createRequire } from 'node:module';
import { expect } from 'chai';
import * as o from '../../src/program/index.js';
import type { Runtime } from '../../src/runtime/index.js';
import { onEveryRuntime } from './available.js';
import { feed, type Setting } from './compare.js';
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

    const sized = (layers: number): Setting => ({
      program: transformerProgram(layers),
      bindings: { batch: 1, pos: 3 },
      numbers: transformerNumbers(layers, [1, 3]),
    });
    const setting = sized(1);
    const { program, numbers } = setting;

    /** How much is held after each run, beyond what was held before the first. */
    async function grown(runs: number, { layers, every }: { layers: number; every: number }): Promise<number[]> {
      const setting = sized(layers);
      const kernel = await runtime.prepare(setting.program, setting.numbers);
      const given = feed(runtime, setting);
      const { tensors, bytes } = held();
      const growth: number[] = [];
      for (let run = 0; run < runs; run++) {
        const outputs = await kernel.run(given, run % every === 0 ? undefined : ['metric']);
        await outputs['metric']!.read();
        for (const output of Object.values(outputs)) output.dispose();
        growth.push(held().tensors - tensors + held().bytes - bytes);
      }
      for (const tensor of Object.values(given)) tensor.dispose();
      await kernel.dispose();
      return growth;
    }

    it('over 100 runs of embedding, unembedding and metric, ten of them with gradients', async function () {
      this.timeout(0); // a graphics card in software takes its time
      expect(await grown(100, { layers: 0, every: 10 })).to.deep.equal(new Array(100).fill(0));
    });

    it('over runs of a transformer and its gradient', async function () {
      this.timeout(0);
      expect(await grown(4, { layers: 1, every: 2 })).to.deep.equal([0, 0, 0, 0]);
    });

    it('nothing when kernel and tensors are disposed', async () => {
      const before = held();
      const kernel = await runtime.prepare(program, numbers);
      const given = feed(runtime, setting);
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
