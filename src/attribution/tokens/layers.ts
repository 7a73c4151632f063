/** Attribution to the neurons of a layer inside a function. One value per neuron, but for `neuronConductance`. */
import type { Point } from '../../engine/gradients/gradient.js';
import { featureAblation } from './ablation.js';
import { addTo, pointOn, timesDifference, type Group, type ScalarFunction, type Way } from './function.js';
import { gradientTimesInput } from './gradients.js';

/** A function that passes through a layer: f(x) = rest(x)(layer(x)). */
export interface LayeredFunction {
  layer(x: Float64Array): Promise<Float64Array>;
  /** f as a function of the layer's values, the input held */
  rest(x: Float64Array): ScalarFunction;
  /** one of the layer's values as a function of the input */
  neuron(index: number): ScalarFunction;
}

/** ∂f/∂layer at x. */
async function layerGradient(f: LayeredFunction, x: Float64Array): Promise<Float64Array> {
  const [gradient] = await f.rest(x).gradients([await f.layer(x)]);
  return gradient as Float64Array;
}

/** What zeros in the layer would lose, to first order: y ⊙ ∂f/∂y. Cost: a forward and a backward pass. */
export async function gradientTimesActivation(f: LayeredFunction, x: Float64Array): Promise<Float64Array> {
  const y = await f.layer(x);
  return gradientTimesInput(f.rest(x), { x: y, baseline: new Float64Array(y.length) });
}

/** ∫ ∂f/∂y dα on the way to x (Leino et al., arXiv:1802.03788). Cost: a forward and a backward pass per point. */
export async function internalInfluence(f: LayeredFunction, way: Way, points: readonly Point[]): Promise<Float64Array> {
  const sum = new Float64Array((await f.layer(way.x)).length);
  for (const { at, weight } of points) addTo(sum, await layerGradient(f, pointOn(way, at)), weight);
  return sum;
}

/**
 * ∫ ∂f/∂y · dy along the way: what of f(x) − f(x′) flows through each neuron (Dhamdhere, Sundararajan & Yan, arXiv:1805.12233).
 * Each point stands for a piece of the way as long as its weight; the neuron's change over the piece is taken as it is, so
 * that only the gradient is approximated. Cost: two forward passes and a backward one per point.
 */
export async function conductance(f: LayeredFunction, way: Way, points: readonly Point[]): Promise<Float64Array> {
  let end = 0;
  let before = await f.layer(way.baseline);
  const sum = new Float64Array(before.length);
  for (const { at, weight } of points) {
    const after = await f.layer(pointOn(way, Math.min(1, (end += weight))));
    const gradient = await layerGradient(f, pointOn(way, at));
    addTo(
      sum,
      gradient.map((g, i) => g * ((after[i] as number) - (before[i] as number))),
      1,
    );
    before = after;
  }
  return sum;
}

/** What of each input's integrated gradient flows through one neuron: (x − x′) ⊙ ∫ ∂f/∂yⱼ · ∇yⱼ dα. One value per input. */
export async function neuronConductance(
  f: LayeredFunction,
  way: Way,
  of: { readonly neuron: number; readonly points: readonly Point[] },
): Promise<Float64Array> {
  const neuron = f.neuron(of.neuron);
  const sum = new Float64Array(way.x.length);
  for (const { at, weight } of of.points) {
    const x = pointOn(way, at);
    const [slope] = await neuron.gradients([x]);
    const reaches = (await layerGradient(f, x))[of.neuron] as number;
    addTo(sum, slope as Float64Array, weight * reaches);
  }
  return timesDifference(way, sum);
}

/** What f loses when groups of neurons take the baseline's values; default zeros. Cost: a forward pass per group. */
export async function layerAblation(
  f: LayeredFunction,
  x: Float64Array,
  { groups, baseline }: { readonly groups: readonly Group[]; readonly baseline?: Float64Array },
): Promise<Float64Array> {
  const y = await f.layer(x);
  return featureAblation(f.rest(x), { x: y, baseline: baseline ?? new Float64Array(y.length) }, groups);
}
