/** Functions small enough to be explained by hand; the values are those that captum's own tests expect. */
import { expect } from 'chai';
import { featureAblation } from '../../../src/attribution/tokens/ablation.js';
import { deepLift } from '../../../src/attribution/tokens/deep-lift.js';
import {
  averageGradient,
  type Group,
  type ScalarFunction,
  type Way,
} from '../../../src/attribution/tokens/function.js';
import { gradientTimesInput, integratedGradients } from '../../../src/attribution/tokens/gradients.js';
import {
  conductance,
  gradientTimesActivation,
  internalInfluence,
  layerAblation,
  neuronConductance,
  type LayeredFunction,
} from '../../../src/attribution/tokens/layers.js';
import { layeredFunction, programFunction } from '../../../src/attribution/tokens/program.js';
import { shapley } from '../../../src/attribution/tokens/shapley.js';
import { RULES } from '../../../src/engine/gradients/riemann.js';
import * as p from '../../../src/program/index.js';
import type { Value } from '../../../src/program/index.js';
import { createReferenceRuntime } from '../../../src/runtime/reference/index.js';

const runtime = createReferenceRuntime();
const vector = (...values: number[]): Float64Array => Float64Array.from(values);
const near = (actual: ArrayLike<number>, expected: readonly number[], tolerance = 1e-9): void => {
  expect(actual.length).to.equal(expected.length);
  expected.forEach((x, i) => expect(actual[i], `element ${i}`).to.be.closeTo(x, tolerance));
};
const way = (x: readonly number[], baseline: readonly number[] = x.map(() => 0)): Way => ({
  x: vector(...x),
  baseline: vector(...baseline),
});
const alone: readonly Group[] = [[0], [1], [2]];
const lastAlone: readonly Group[] = [[0, 1], [2]];
const points = RULES.midpoint.points(200);

/** lin0 = x; lin1 = 1(4×3) · lin0 + [−10, 1, 1, 1]; relu; lin2 = 1(2×4) · relu + [−1, 1], of which number 0 is explained. */
function multiLayer(x: Value): { readonly [Layer in 'lin0' | 'lin1' | 'relu' | 'lin2' | 'output']: Value } {
  const first = (size: number, start: number): Value => p.slice(p.broadcast(x, [3]), 0, [start, start + size]);
  const lin0 = p.mul(first(3, 0), 1);
  const total = p.sum(lin0, [0], true);
  const lin1 = p.concat([p.add(total, -10), p.add(p.broadcast(total, [3]), 1)], 0);
  const relu = p.relu(lin1);
  const sum = p.sum(relu, [0], true);
  const lin2 = p.concat([p.add(sum, -1), p.add(sum, 1)], 0);
  return { lin0, lin1, relu, lin2, output: p.sum(p.slice(lin2, 0, [0, 1]), [0]) };
}

const X = p.input('x', [3]);
const LAYERS = multiLayer(X);
const whole = (): Promise<ScalarFunction> => programFunction(runtime, { x: X, output: LAYERS.output });
const through = (layer: 'lin0' | 'lin1' | 'relu' | 'lin2'): Promise<LayeredFunction> =>
  layeredFunction(runtime, { x: X, layer: LAYERS[layer], output: LAYERS.output });

describe('a network of three linear layers and a rectifier', () => {
  it('conductance: what of the change from 0 to [0, 100, 0] flows through each neuron of a layer', async () => {
    const from0 = way([0, 100, 0]);
    near(await conductance(await through('lin0'), from0, points), [0, 390, 0], 0.1);
    near(await conductance(await through('lin1'), from0, points), [90, 100, 100, 100], 0.1);
    near(await conductance(await through('relu'), from0, points), [90, 100, 100, 100], 0.1);
    near(await conductance(await through('lin2'), from0, points), [390, 0], 0.1);
  });

  for (const rule of ['midpoint', 'trapezoid', 'gauss-legendre'] as const)
    it(`conductance sums to f(x) − f(baseline), ${rule}`, async () => {
      const f = await whole();
      const given = way([3, 1, 2], [-1, 5, 9]);
      const [above = 0, below = 0] = await f.values([given.x, given.baseline]);
      const values = await conductance(await through('lin1'), given, RULES[rule].points(100));
      expect(values.reduce((a, b) => a + b)).to.be.closeTo(above - below, 0.1);
    });

  it('gradient × activation', async () => {
    const x = vector(0, 100, 0);
    near(await gradientTimesActivation(await through('lin0'), x), [0, 400, 0]);
    near(await gradientTimesActivation(await through('lin1'), x), [90, 101, 101, 101]);
    near(await gradientTimesActivation(await through('lin2'), x), [392, 0]);
    near(await gradientTimesActivation(await through('relu'), vector(3, 4, 0)), [0, 8, 8, 8]);
  });

  it('internal influence: the average gradient at the layer', async () => {
    const from0 = way([0, 100, 0]);
    near(await internalInfluence(await through('lin0'), from0, points), [3.9, 3.9, 3.9], 0.01);
    near(await internalInfluence(await through('lin1'), from0, points), [0.9, 1, 1, 1], 0.01);
    near(await internalInfluence(await through('lin2'), from0, points), [1, 0]);
    const below = await internalInfluence(await through('lin1'), way([0, 80, 0], [0, -20, 0]), points);
    near(below, [0.7, 0.81, 0.81, 0.81], 0.01);
    near(below, [0.7, 0.8, 0.8, 0.8], 0.02); // captum's, rounded
    const twice = await internalInfluence(await through('lin1'), way([30, 30, 0], [-20, -20, 0]), points);
    near(twice, [0.5, 0.61, 0.61, 0.61], 0.01);
    near(twice, [0.5, 0.6, 0.6, 0.6], 0.02);
  });

  const ABLATIONS: readonly { x: number[]; base: number; groups: readonly Group[]; expected: number[] }[] = [
    { x: [20, 50, 30], base: 0, groups: alone, expected: [80, 200, 120] },
    { x: [20, 50, 30], base: 0, groups: lastAlone, expected: [280, 120] },
    { x: [20, 50, 30], base: 4, groups: lastAlone, expected: [248, 104] },
    { x: [2, 10, 3], base: 0, groups: alone, expected: [8, 35, 12] },
    { x: [2, 10, 3], base: 0, groups: lastAlone, expected: [41, 12] },
  ];
  for (const { x, base, groups, expected } of ABLATIONS)
    it(`feature ablation of ${x.join(', ')} to ${base}${groups === lastAlone ? ', the first two together' : ''}`, async () =>
      near(await featureAblation(await whole(), way(x, [base, base, base]), groups), expected));

  it('layer ablation', async () => {
    const groups = [[0], [1], [2], [3]];
    near(await layerAblation(await through('relu'), vector(0, 6, 0), { groups }), [0, 7, 7, 7]);
  });

  const SHAPLEY: readonly { x: number[]; groups: readonly Group[]; expected: number[] }[] = [
    { x: [20, 50, 30], groups: alone, expected: [76.6667, 196.6667, 116.6667] },
    { x: [20, 50, 30], groups: lastAlone, expected: [275, 115] },
    { x: [2, 10, 3], groups: alone, expected: [7, 32.5, 10.5] },
  ];
  for (const { x, groups, expected } of SHAPLEY)
    it(`Shapley values of ${x.join(', ')}${groups === lastAlone ? ', the first two together' : ''}`, async () => {
      const f = await whole();
      near(await shapley(f, { way: way(x), groups }, { samples: 0, seed: 0 }), expected, 1e-4);
    });

  it('neuron conductance: what of each input flows through one neuron', async () => {
    const from0 = way([0, 100, 0]);
    near(await neuronConductance(await through('lin1'), from0, { neuron: 0, points }), [0, 90, 0], 0.1);
    near(await neuronConductance(await through('lin2'), from0, { neuron: 0, points }), [0, 390, 0], 0.1);
    near(await neuronConductance(await through('relu'), way([0, 70, 30]), { neuron: 3, points }), [0, 70, 30], 0.1);
  });

  it('conductance of two inputs at once: (x₁ + x₂ + x₃) · 5, the third held at 0', async () => {
    const both = p.input('x', [6]);
    const sum = p.add(p.slice(both, 0, [0, 3]), p.slice(both, 0, [3, 6]));
    const { relu, output } = multiLayer(p.mul(p.add(sum, p.literal(0)), 5));
    const f = await layeredFunction(runtime, { x: both, layer: relu, output });
    near(await conductance(f, way([0, 10, 1, 0, 4, 5]), points), [90, 100, 100, 100], 0.1);
  });
});

describe('rectifiers one behind the other', () => {
  const x = p.input('x', [2]);
  const element = (i: number): Value => p.sum(p.slice(x, 0, [i, i + 1]), [0]);
  const [x1, x2] = [element(0), element(1)];
  const NETWORKS: Readonly<Record<string, Value>> = {
    'relu(relu(x₁) − 1 − relu(x₂))': p.relu(p.sub(p.sub(p.relu(x1), 1), p.relu(x2))),
    'relu(relu(x₁ − 1) − relu(x₂))': p.relu(p.sub(p.relu(p.sub(x1, 1)), p.relu(x2))),
  };
  for (const [name, output] of Object.entries(NETWORKS))
    it(`integrated gradients do not depend on how ${name} is written`, async () => {
      const f = await programFunction(runtime, { x, output });
      near(await integratedGradients(f, way([3, 1]), points), [1.5, -0.5], 0.05);
      near(await averageGradient(f, way([3, 1]), points), [0.5, -0.5], 0.05);
    });

  it('gradient × input does: it sees the slope at the input alone', async () => {
    const f = await programFunction(runtime, { x, output: NETWORKS['relu(relu(x₁) − 1 − relu(x₂))']! });
    near(await gradientTimesInput(f, way([3, 1])), [3, -1]);
  });

  it('DeepLIFT: 2 relu(x₁) + 2 relu(x₂ − 1.5)', async () => {
    const output = p.add(p.mul(p.relu(x1), 2), p.mul(p.relu(p.sub(x2, 1.5)), 2));
    const { values, multipliers } = await deepLift(runtime, { x, output }, way([1, 2]));
    near(values, [2, 1]);
    near(multipliers, [2, 0.5]);
  });

  it('DeepLIFT takes the derivative where an input does not differ from the baseline', async () => {
    const { multipliers } = await deepLift(
      runtime,
      { x, output: p.mul(p.tanh(x1), p.exp(x2)) },
      way([0.5, 0], [0.5, 0]),
    );
    near(multipliers, [1 - Math.tanh(0.5) ** 2, Math.tanh(0.5)]);
  });
});
