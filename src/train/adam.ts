/**
 * AdamW (Loshchilov and Hutter, arXiv 1711.05101) as an expression over flat vectors, so that a step is one program on any
 * runtime. Measured on the CPU, it costs about what a loop over the same arrays in JavaScript costs (4 to 3 ms for 200,000
 * parameters, 17 to 13 ms for 800,000), a small part of a step.
 */
import { add, div, greater, mul, sqrt, sub, sum, where, type Value } from '../program/index.js';

export interface AdamState {
  /** [n] */
  readonly parameters: Value;
  /** running mean of the gradient, [n] */
  readonly first: Value;
  /** running mean of its square, [n] */
  readonly second: Value;
}

export interface AdamStep {
  /** [n] */
  readonly gradient: Value;
  /** 1 for the parameters that decay, else 0: [n] */
  readonly decays: Value;
  /** learning rate at this step: [] */
  readonly rate: Value;
  /** 1 / (1 − β₁ᵗ) and 1 / (1 − β₂ᵗ) at step t = 1, 2, …: [] */
  readonly corrections: readonly [first: Value, second: Value];
}

export interface AdamOptions {
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly decay: number;
  /** the gradient is shortened to this length when it is longer */
  readonly clip: number;
}

export const ADAM: AdamOptions = { beta1: 0.9, beta2: 0.98, epsilon: 1e-8, decay: 0.01, clip: 1 };

/** The corrections of step t = 1, 2, … for the running means' start at zero. */
export const corrections = ({ beta1, beta2 }: AdamOptions, t: number): readonly [number, number] => [
  1 / (1 - beta1 ** t),
  1 / (1 - beta2 ** t),
];

/** The state after one step. */
export function adam(state: AdamState, step: AdamStep, options: AdamOptions): AdamState {
  const { beta1, beta2, epsilon, decay } = options;
  const gradient = clipped(step.gradient, options.clip);
  const first = add(mul(state.first, beta1), mul(gradient, 1 - beta1));
  const second = add(mul(state.second, beta2), mul(mul(gradient, gradient), 1 - beta2));
  const spread = add(sqrt(mul(second, step.corrections[1])), epsilon);
  const move = div(mul(first, step.corrections[0]), spread);
  const shrink = mul(mul(state.parameters, step.decays), decay);
  return { parameters: sub(state.parameters, mul(add(move, shrink), step.rate)), first, second };
}

/** The gradient, no longer than `clip`. */
function clipped(gradient: Value, clip: number): Value {
  const length = sqrt(sum(mul(gradient, gradient), [0]));
  return mul(gradient, div(clip, where(greater(length, clip), length, clip)));
}
