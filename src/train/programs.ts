/** The programs of training: a step (loss, gradients of all parameters and AdamW in one), and what a trained model is measured with. */
import {
  concat,
  differentiate,
  div,
  equal,
  input,
  literal,
  logSoftmax,
  makeProgram,
  mul,
  neg,
  parameter,
  reshape,
  sum,
  type Program,
  type Value,
} from '../program/index.js';
import type { Constant } from '../runtime/types.js';
import { adam, type AdamOptions } from './adam.js';
import { forward, tableValues, weightSpecs, type Blueprint } from './forward.js';
import { decayMask, parameterCount, parameterSlots, symbolicParameters, type Slot } from './parameters.js';

const GRID = ['batch', 'pos'] as const;

/** −log p of each target, [batch, pos] */
function surprise(logits: Value, vocabulary: Value): Value {
  const targets = input('targets', GRID);
  const hit = equal(reshape(targets, [...GRID, 1]), vocabulary); // [batch, pos, vocabulary]
  return neg(sum(mul(hit, logSoftmax(logits)), [-1]));
}

/** The weighted mean of −log p over the batch, in nats, and the weights it is a function of. */
function objective(blueprint: Blueprint, slots: readonly Slot[]): { loss: Value; flat: Value; weights: Value[] } {
  const { flat, weights } = symbolicParameters(slots);
  const { logits } = forward(blueprint, { tokens: input('tokens', GRID, 'int'), weights });
  const counts = input('weights', GRID);
  const nats = surprise(logits, parameter('vocabulary', [blueprint.config.dVocabOut]));
  const loss = div(sum(mul(nats, counts), [0, 1]), sum(counts, [0, 1]));
  return { loss, flat, weights: [...weights.values()] };
}

/** d loss / d parameters as one flat vector, in the slots' order. */
function gradientOf({ loss, weights }: { loss: Value; weights: readonly Value[] }, slots: readonly Slot[]): Value {
  const gradients = differentiate([{ of: loss, gradient: literal(1) }], weights);
  return concat(
    gradients.map((gradient, i) => reshape(gradient, [(slots[i] as Slot).end - (slots[i] as Slot).start])),
    0,
  );
}

/** inputs: parameters [n], tokens, targets, weights. outputs: loss [], gradient [n]. */
export function gradientProgram(blueprint: Blueprint): Program {
  const slots = parameterSlots(blueprint);
  const goal = objective(blueprint, slots);
  return makeProgram('loss and gradient', { loss: goal.loss, gradient: gradientOf(goal, slots) });
}

/**
 * inputs: parameters, first, second [n] (the state), tokens, targets, weights [batch, pos], rate, correction1, correction2 [].
 * outputs: the next parameters, first, second, and the loss before the step.
 */
export function stepProgram(blueprint: Blueprint, options: AdamOptions): Program {
  const slots = parameterSlots(blueprint);
  const count = parameterCount(slots);
  const goal = objective(blueprint, slots);
  const state = { parameters: goal.flat, first: input('first', [count]), second: input('second', [count]) };
  const next = adam(
    state,
    {
      gradient: gradientOf(goal, slots),
      decays: parameter('decays', [count]),
      rate: input('rate', []),
      corrections: [input('correction1', []), input('correction2', [])],
    },
    options,
  );
  return makeProgram('training step', { ...next, loss: goal.loss });
}

/** inputs: tokens [batch, pos], headScale [nLayers, nHeads]; weights are parameters. outputs: logits, pattern0, pattern1, … */
export function measuringProgram(blueprint: Blueprint): Program {
  const { config } = blueprint;
  const weights = new Map(weightSpecs(blueprint).map(({ name, shape }) => [name, parameter(name, shape)]));
  const headScale = input('headScale', [config.nLayers, config.nHeads]);
  const { logits, patterns } = forward(blueprint, { tokens: input('tokens', GRID, 'int'), weights, headScale });
  const named = Object.fromEntries(patterns.map((pattern, layer) => [`pattern${layer}`, pattern]));
  return makeProgram('measuring', { logits, ...named });
}

/** What these programs are prepared with (a runtime is given the ones its program names). */
export function constantsFor(program: Program, blueprint: Blueprint): Record<string, Constant> {
  const all: Record<string, Constant> = {
    ...tableValues(blueprint.config),
    vocabulary: Float32Array.from({ length: blueprint.config.dVocabOut }, (_, i) => i),
    decays: decayMask(parameterSlots(blueprint)),
  };
  return Object.fromEntries(
    program.parameters.flatMap(({ attributes: { name } }) => (all[name] ? [[name, all[name]]] : [])),
  );
}
