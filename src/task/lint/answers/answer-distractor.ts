import { pairRule, placed, quoted } from '../rule.js';

export const answerDistractor = pairRule(
  'answer-distractor',
  'no answer is both correct and incorrect',
  ({ answers }) =>
    answers.flatMap(({ position, correct, incorrect }) => {
      const wrong = new Set((incorrect ?? []).map(({ ids }) => ids.join(' ')));
      return (correct ?? [])
        .filter(({ ids }) => wrong.has(ids.join(' ')))
        .map(({ source }) => ({
          ...placed(position),
          what: `${quoted(source)} is both a correct and an incorrect answer`,
        }));
    }),
);
