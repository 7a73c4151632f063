import type { PreparedPrompt } from '../../prepare.js';
import { everyOption, pairRule, placed, type Remark } from '../rule.js';

export const vocabulary = pairRule(
  'vocabulary',
  "every id is in the model's vocabulary",
  (pair, { context: { config } }) => [
    ...outside('clean', pair.clean, config.dVocab),
    ...outside('corrupt', pair.corrupt, config.dVocab),
    ...everyOption(pair).flatMap(({ ids, role, answer }) =>
      ids
        .filter((id) => id >= config.dVocabOut)
        .map((id) => ({
          ...placed(answer.position),
          what: `the ${role} answer's id ${id} is outside ${config.name}'s output vocabulary (0 … ${config.dVocabOut - 1})`,
        })),
    ),
  ],
);

const outside = (side: string, { tokens }: PreparedPrompt, size: number): Remark[] => {
  const position = tokens.findIndex((id) => id >= size);
  return position < 0
    ? []
    : [
        {
          position,
          what: `${side} has the token id ${tokens[position]}, outside the vocabulary (0 … ${size - 1}): is the task made for another tokenizer?`,
        },
      ];
};
