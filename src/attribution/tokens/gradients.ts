/** Attribution by gradients at the input, or on the way to it from a baseline. One value per element of the input. */
import type { Point } from '../../engine/gradients/gradient.js';
import { averageGradient, timesDifference, type ScalarFunction, type Way } from './function.js';

/**
 * (x − x′) ⊙ ∫ ∇f(x′ + α (x − x′)) dα: the values sum to f(x) − f(x′) as the points become many (Sundararajan, Taly & Yan,
 * arXiv:1703.01365). Cost: a forward and a backward pass per point.
 */
export const integratedGradients = async (
  f: ScalarFunction,
  way: Way,
  points: readonly Point[],
): Promise<Float64Array> => timesDifference(way, await averageGradient(f, way, points));

const AT_INPUT: readonly Point[] = [{ at: 1, weight: 1 }];

/** (x − x′) ⊙ ∇f(x): what f loses, to first order, on the way to the baseline. Cost: a forward and a backward pass. */
export const gradientTimesInput = (f: ScalarFunction, way: Way): Promise<Float64Array> =>
  integratedGradients(f, way, AT_INPUT);
