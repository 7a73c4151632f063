import type { Answer, AnswerSet } from '../../task/types.js';

/** correct − incorrect, each id with its weight as `of` gives it. */
export function contrast(answer: Answer, of: (set: AnswerSet, i: number) => number): Map<number, number> {
  const weights = new Map<number, number>();
  const addAll = (set: AnswerSet, sign: number): void =>
    set.ids.forEach((id, i) => weights.set(id, (weights.get(id) ?? 0) + sign * of(set, i)));
  addAll(answer.correct, 1);
  addAll(answer.incorrect, -1);
  return weights;
}

/** The weight a set gives its i-th id: shares of a mean, or 1 each where a metric sums. */
export const weighted = (set: AnswerSet, i: number): number => set.weights[i] ?? 0;
