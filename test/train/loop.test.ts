import { expect } from 'chai';
import { createReferenceRuntime } from '../../src/runtime/reference/index.js';
import { createOnnxRuntime } from '../../src/runtime/onnx/index.js';
import type { Runtime } from '../../src/runtime/types.js';
import { learningRate, train, type Schedule } from '../../src/train/loop.js';
import { countingBatches, tinyAttention, tinyGpt2 } from './tiny.js';

const SCHEDULE: Schedule = { steps: 60, warmup: 5, rate: 0.02, floor: 0.1, decay: 0.01, seed: 5 };

describe('train', () => {
  let onnx: Runtime;
  before(async () => {
    onnx = await createOnnxRuntime({ threads: 1 });
  });
  after(() => onnx.dispose());

  const run = async (runtime: Runtime, blueprint = tinyGpt2, schedule = SCHEDULE) => {
    const losses: number[] = [];
    const parameters = await train(runtime, { blueprint, schedule, batches: countingBatches }, ({ loss }) =>
      losses.push(loss),
    );
    return { parameters, losses };
  };

  for (const blueprint of [tinyGpt2, tinyAttention])
    it(`makes the loss of ${blueprint.config.name} fall from near log V to below half of it`, async () => {
      const { losses } = await run(onnx, blueprint);
      expect(losses).to.have.length(SCHEDULE.steps);
      expect(losses[0]).to.be.within(0.7 * Math.log(7), 1.5 * Math.log(7));
      expect(losses.at(-1)).to.be.below(0.5 * Math.log(7));
    });

  it('gives the same parameters for the same seed, bit for bit, and others for another', async () => {
    const short = { ...SCHEDULE, steps: 5 };
    const [one, again, other] = [
      await run(onnx, tinyGpt2, short),
      await run(onnx, tinyGpt2, short),
      await run(onnx, tinyGpt2, { ...short, seed: 6 }),
    ];
    expect(again.parameters).to.deep.equal(one.parameters);
    expect(again.losses).to.deep.equal(one.losses);
    expect(other.parameters).not.to.deep.equal(one.parameters);
  });

  it('takes the same steps on the reference runtime, up to float32', async () => {
    const reference = createReferenceRuntime();
    const short = { ...SCHEDULE, steps: 3 };
    const [float32, float64] = [await run(onnx, tinyGpt2, short), await run(reference, tinyGpt2, short)];
    float64.losses.forEach((loss, i) => expect(float32.losses[i]).to.be.closeTo(loss, 1e-4));
  });

  it('raises the learning rate to its peak, then lowers it to its floor', () => {
    const schedule = { ...SCHEDULE, steps: 100, warmup: 10, rate: 1 };
    expect(learningRate(schedule, 1)).to.be.closeTo(0.1, 1e-12);
    expect(learningRate(schedule, 10)).to.equal(1);
    expect(learningRate(schedule, 55)).to.be.closeTo(0.55, 1e-12);
    expect(learningRate(schedule, 100)).to.be.closeTo(0.1, 1e-12);
  });
});
