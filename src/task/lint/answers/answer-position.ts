import { pairRule, placed } from '../rule.js';

export const answerPosition = pairRule(
  'answer-position',
  'answers are asked for at positions of the prompt',
  ({ answers, clean, spans }) =>
    answers.flatMap(({ at, position }) => {
      const length = clean.tokens.length;
      // an empty prompt is another rule's matter
      if (at === null) return [];
      if (position === null) {
        return spans.has(String(at))
          ? []
          : [{ what: `an answer is asked for at "${at}", but the pair has no span of that name` }];
      }
      return position >= 0 && position < length
        ? []
        : [
            {
              ...placed(position),
              what: `an answer is asked for at ${at}, outside the prompt, which has ${clean.ids.length} tokens${at === clean.ids.length ? ' (off by one? positions count from 0)' : ''}`,
            },
          ];
    }),
);
