import { evaluateShape, type Bindings, type OpName, type Program, type Value } from '../../program/index.js';
import { float, type NdArray } from './array.js';
import { ELEMENTWISE } from './elementwise.js';
import { LAYOUT } from './layout.js';
import { matmul } from './linear.js';
import { REDUCTIONS } from './reductions.js';
import type { Evaluate } from './types.js';

/** How each op is computed (`input` apart: those are given). */
const EVALUATE: { readonly [Op in Exclude<OpName, 'input'>]: Evaluate<Op> } = {
  literal: (_, { value }) => float([], Float64Array.of(value.attributes.value)),
  matmul,
  ...ELEMENTWISE,
  ...REDUCTIONS,
  ...LAYOUT,
};

export interface Given {
  /** inputs and parameters by name */
  readonly leaves: ReadonlyMap<string, NdArray>;
  readonly bindings: Bindings;
}

/** Every output of a program, value by value in the program's order. */
export function evaluate(program: Program, { leaves, bindings }: Given): Record<string, NdArray> {
  const known = new Map<Value, NdArray>();
  for (const value of program.values) {
    if (value.op === 'input') {
      known.set(value, leaves.get(value.attributes.name)!);
      continue;
    }
    const rule = EVALUATE[value.op] as Evaluate<OpName>;
    const shape = evaluateShape(value.shape, bindings);
    known.set(
      value,
      rule(
        value.inputs.map((input) => known.get(input)!),
        { value, shape, bindings },
      ),
    );
  }
  return Object.fromEntries(Object.entries(program.outputs).map(([key, value]) => [key, known.get(value)!]));
}
