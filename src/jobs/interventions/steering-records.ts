/** What steering found, as its record has it. */
import type { PromptSide } from '../../engine/model-run/prompts.js';
import { bootstrapInterval } from '../../evaluation/statistics/bootstrap.js';
import { meanOf, type Estimate } from '../../evaluation/statistics/intervals.js';
import type { Continuation } from '../../interventions/steering/continuations.js';
import {
  strongestShifts,
  type Response,
  type Steering,
  type TokenShift,
} from '../../interventions/steering/steering.js';
import type { Model } from '../../model/types.js';
import type { ContinuationRecord, DoseRecord, ShiftRecord, SteeringRecord } from '../../report/records/steering.js';
import type { Example } from '../../task/types.js';
import { outputText, promptText } from '../prompt-ids.js';

/** Tokens named on either side. */
const SHIFTS = 10;

/** A mean over pairs with its 95 % bootstrap interval; pairs are drawn alike for every figure. */
function estimateOf(values: ArrayLike<number>, seed: number): Estimate {
  const mean = (places: Int32Array): number => {
    let sum = 0;
    for (const place of places) sum += values[place] as number;
    return sum / places.length;
  };
  const { low, high } = bootstrapInterval(values.length, mean, { seed }) ?? { low: null, high: null };
  return { mean: meanOf(values), low, high, count: values.length };
}

/** Null where some pair has no such answers. */
const orNull = (values: Float64Array, seed: number): Estimate | null =>
  values.some(Number.isNaN) ? null : estimateOf(values, seed);

const answersOf = ({ correct, incorrect }: Response, seed: number) => ({
  correct: orNull(correct, seed),
  incorrect: orNull(incorrect, seed),
});

export const unsteeredRecord = ({ clean, corrupt, unsteered }: Steering, seed: number) => ({
  clean: estimateOf(clean, seed),
  corrupt: estimateOf(corrupt, seed),
  unsteered: { metric: estimateOf(unsteered.metric, seed), ...answersOf(unsteered, seed) },
});

export const doseRecords = (
  model: Model,
  { doses, unsteered }: Steering,
  { places, seed }: { readonly places: readonly string[]; readonly seed: number },
): DoseRecord[] =>
  doses.map((dose) => {
    const { rises, falls } = strongestShifts(dose, unsteered, SHIFTS);
    const named = (shift: TokenShift): ShiftRecord => ({ ...shift, text: outputText(model, shift.id) });
    return {
      place: places[dose.place] as string,
      coefficient: dose.coefficient,
      metric: estimateOf(dose.metric, seed),
      change: estimateOf(
        dose.metric.map((x, e) => x - (unsteered.metric[e] as number)),
        seed,
      ),
      divergence: estimateOf(dose.divergence, seed),
      ...answersOf(dose, seed),
      rises: rises.map(named),
      falls: falls.map(named),
    };
  });

/** One for each prompt and sample, what was written unsteered first. */
export function continuationRecords(
  model: Model,
  continuations: readonly Continuation[],
  of: { readonly prompts: readonly Example[]; readonly side: PromptSide; readonly own: boolean },
): ContinuationRecord[] {
  const unsteered = continuations.filter(({ coefficient }) => coefficient === 0);
  return unsteered.map(({ example, sample }) => {
    const prompt = of.prompts[example] as Example;
    const ids = prompt[of.side];
    const own = continuations.filter((one) => one.example === example && one.sample === sample);
    return {
      pair: of.own ? null : prompt.index,
      sample,
      prompt: promptText(model, ids),
      written: own.map((one) => ({
        coefficient: one.coefficient,
        ids: [...one.ids],
        text: textAfter(model, ids, one.ids),
        divergence: one.divergence,
      })),
    };
  });
}

/** Decoded behind its prompt, so that a decoder that trims the beginning of a text trims the prompt's. */
const textAfter = ({ tokenizer }: Model, prompt: readonly number[], ids: readonly number[]): string | null =>
  tokenizer && tokenizer.decode([...prompt, ...ids]).slice(tokenizer.decode(prompt).length);

export function divergenceRecords(continuations: readonly Continuation[], seed: number): SteeringRecord['divergences'] {
  const coefficients = [...new Set(continuations.map(({ coefficient }) => coefficient))].filter((one) => one !== 0);
  return coefficients.map((coefficient) => {
    const own = continuations.filter((one) => one.coefficient === coefficient);
    return {
      coefficient,
      divergence: estimateOf(
        own.map(({ divergence }) => divergence),
        seed,
      ),
    };
  });
}
