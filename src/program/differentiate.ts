/**
 * Reverse-mode differentiation, program → program: the vector–Jacobian product of any values with respect to any others
 * (activations, masks, parameters), as new expressions that share the forward's intermediates.
 */
import { DERIVATIVES } from './derivatives.js';
import { sameShape } from './dims.js';
import { add, broadcast, literal, ShapeError } from './ops.js';
import { topological } from './program.js';
import type { OpName, Value } from './value.js';

/** A value and the gradient that arrives at it, of the same shape. */
export interface Cotangent {
  readonly of: Value;
  readonly gradient: Value;
}

/** The gradient of each input of a value, as thunks: `usual` are those of the derivative. */
type Instead = (value: Value, gradient: Value, usual: readonly (() => Value)[]) => readonly (() => Value)[];

/** What goes back through some ops instead of their derivative, as methods of attribution have it. */
export type Rules = { readonly [Op in OpName]?: Instead };

/**
 * Σ over `cotangents` of gradientᵀ · ∂of/∂x, for each x in `withRespectTo`; zeros where nothing depends on x.
 * @param rules for ops that are not differentiated but propagated otherwise
 * @returns one value per x, of x's shape.
 */
export function differentiate(
  cotangents: readonly Cotangent[],
  withRespectTo: readonly Value[],
  rules: Rules = {},
): Value[] {
  for (const { of, gradient } of cotangents)
    if (!sameShape(of.shape, gradient.shape))
      throw new ShapeError(of.op, [of, gradient], "a cotangent of the value's shape");
  const order = topological(cotangents.map(({ of }) => of));
  const relevant = dependents(order, withRespectTo);
  const gradients = new Map<Value, Value>();
  const accumulate = (value: Value, gradient: Value): void => {
    const sofar = gradients.get(value);
    gradients.set(value, sofar ? add(sofar, gradient) : gradient);
  };
  for (const { of, gradient } of cotangents) accumulate(of, gradient);
  for (const value of order.reverse()) {
    const gradient = gradients.get(value);
    if (!gradient || !relevant.has(value) || withRespectToLeaf(value, withRespectTo)) continue;
    propagate({ value, gradient, rules }, (child, one) => {
      if (relevant.has(child)) accumulate(child, one);
    });
  }
  return withRespectTo.map((x) => gradients.get(x) ?? broadcast(literal(0), x.shape));
}

/** A value asked for that depends on no other asked for needs no further propagation. */
const withRespectToLeaf = (value: Value, withRespectTo: readonly Value[]): boolean =>
  value.inputs.length === 0 && withRespectTo.includes(value);

/** The values through which a gradient can reach one of `sources`. */
function dependents(order: readonly Value[], sources: readonly Value[]): Set<Value> {
  const relevant = new Set<Value>(sources);
  for (const value of order) if (value.inputs.some((one) => relevant.has(one))) relevant.add(value);
  return relevant;
}

function propagate(
  { value, gradient, rules }: { value: Value; gradient: Value; rules: Rules },
  deliver: (child: Value, gradient: Value) => void,
): void {
  const rule = DERIVATIVES[value.op] as (value: Value, gradient: Value) => readonly (() => Value)[];
  const usual = rule(value, gradient);
  const parts = rules[value.op]?.(value, gradient, usual) ?? usual;
  value.inputs.forEach((child, i) => {
    const part = parts[i];
    if (part && child.dtype === 'float' && child.op !== 'literal') deliver(child, part());
  });
}
