import type { Bindings, OpName, Value } from '../../program/index.js';
import type { NdArray } from './array.js';

export interface Evaluation<Op extends OpName> {
  readonly value: Value<Op>;
  /** what the value's shape is in this run */
  readonly shape: readonly number[];
  readonly bindings: Bindings;
}

/** Computes one value from what it reads. */
export type Evaluate<Op extends OpName> = (inputs: readonly NdArray[], evaluation: Evaluation<Op>) => NdArray;

/** A rule that needs only the operands and the shape of the result. */
export type PlainEvaluate = (inputs: readonly NdArray[], evaluation: { readonly shape: readonly number[] }) => NdArray;
