import { expect } from 'chai';
import { createReferenceRuntime } from '../../src/runtime/reference/index.js';
import type { Runtime } from '../../src/runtime/types.js';
import { seeded } from '../../src/task/random.js';
import { batchOf, batchTensors, type Batch } from '../../src/train/batch.js';
import type { Blueprint } from '../../src/train/forward.js';
import { decayMask, initialParameters, parameterSlots } from '../../src/train/parameters.js';
import { constantsFor, gradientProgram } from '../../src/train/programs.js';
import { oneBatch, tinyAttention, tinyGpt2 } from './tiny.js';

describe('the programs of training', () => {
  let runtime: Runtime;
  before(async () => {
    runtime = createReferenceRuntime();
  });
  after(() => runtime.dispose());

  /** Parameters, moved a little so that no bias is exactly zero. */
  const parametersOf = (blueprint: Blueprint): Float64Array => {
    const random = seeded(11);
    return Float64Array.from(initialParameters(blueprint, random), (x) => x + 0.001 * random.between(-100, 100));
  };

  const lossOf = async (blueprint: Blueprint, batch: Batch) => {
    const program = gradientProgram(blueprint);
    const kernel = await runtime.prepare(program, constantsFor(program, blueprint));
    return async (parameters: Float64Array) => {
      const given = { parameters: runtime.tensor(parameters, [parameters.length]), ...batchTensors(runtime, batch) };
      const { loss, gradient } = await kernel.run(given);
      return { loss: (await loss?.read())?.[0] ?? NaN, gradient: (await gradient?.read()) ?? new Float64Array() };
    };
  };

  for (const blueprint of [tinyGpt2, tinyAttention])
    it(`have the gradient of every weight of ${blueprint.config.name}, by central differences`, async () => {
      const evaluate = await lossOf(blueprint, oneBatch());
      const parameters = parametersOf(blueprint);
      const { gradient } = await evaluate(parameters);
      const random = seeded(12);
      const step = 1e-5;
      for (const { name, start, end } of parameterSlots(blueprint)) {
        const i = random.between(start, end - 1);
        const at = async (x: number): Promise<number> => (await evaluate(parameters.with(i, x))).loss;
        const centre = parameters[i] as number;
        const slope = ((await at(centre + step)) - (await at(centre - step))) / (2 * step);
        expect(gradient[i], `${name} at ${i - start}`).to.be.closeTo(slope, 1e-7);
      }
    });

  it('start at about log V nats', async () => {
    const evaluate = await lossOf(tinyGpt2, oneBatch());
    const { loss } = await evaluate(Float64Array.from(initialParameters(tinyGpt2, seeded(0))));
    expect(loss).to.be.closeTo(Math.log(7), 0.5);
  });

  it('do not see what fills up shorter sequences', async () => {
    const sequences = [
      [1, 2, 3, 4, 5, 6],
      [3, 4, 5],
    ];
    const parameters = parametersOf(tinyGpt2);
    const one = await (await lossOf(tinyGpt2, batchOf(sequences, 0)))(parameters);
    const other = await (await lossOf(tinyGpt2, batchOf(sequences, 5)))(parameters);
    expect(other.loss).to.equal(one.loss);
    expect([...other.gradient]).to.deep.equal([...one.gradient]);
  });

  it('let matrices decay, but neither norms nor biases', () => {
    const mask = decayMask(parameterSlots(tinyGpt2));
    for (const { name, start, shape } of parameterSlots(tinyGpt2))
      expect(mask[start], name).to.equal(shape.length > 1 ? 1 : 0);
  });
});
