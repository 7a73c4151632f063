import { createRequire } from 'node:module';
import { expect } from 'chai';
import { onEveryRuntime } from './available.js';

await onEveryRuntime(
  'an error of the device',
  ({ create }) => {
    it('is thrown at the next read, instead of numbers that were never computed', async () => {
      const runtime = await create();
      const tf = createRequire(import.meta.url)('@tensorflow/tfjs') as typeof import('@tensorflow/tfjs');
      await tf.setBackend('webgpu');
      // tfjs 4.22 casts booleans by relabelling their buffer, which this transpose then cannot read
      const relabelled = tf.cast(tf.greater(tf.zeros([2, 3, 1]), 1), 'float32');
      const broken = tf.transpose(relabelled, [1, 0, 2]);
      const queued = runtime.tensor(Float32Array.of(1, 2), [2]);
      const first = runtime.rows(queued, 0, 1);
      for (const time of ['first', 'second'] as const) {
        const error = await first.read().catch((reason: unknown) => reason);
        expect(error, `${time} read`).to.have.property('code', 'runtime/device');
      }
      for (const one of [relabelled, broken, queued, first]) one.dispose();
      await runtime.dispose();

      const another = await create();
      const fresh = another.tensor(Float32Array.of(1, 2), [2]);
      expect([...(await another.rows(fresh, 1, 2).read())], 'a new runtime starts clean').to.deep.equal([2]);
      await another.dispose();
    });
  },
  (key) => key === 'tfjs-webgpu',
);
