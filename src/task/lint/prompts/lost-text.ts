import type { PreparedPrompt, PreparedTask } from '../../prepare.js';
import { roundTrips } from '../../words.js';
import { pairRule } from '../rule.js';

export const lostText = pairRule(
  'lost-text',
  'the tokenizer can write every word of a prompt',
  ({ clean, corrupt }, { context }) =>
    Object.entries({ clean, corrupt }).flatMap(([side, prompt]) =>
      isLost(prompt, context.tokenizer)
        ? [
            {
              severity: 'warning' as const,
              what: `${side} has words that ${context.config.name}'s tokenizer cannot write; the model reads "${context.tokenizer?.decode(prompt.ids)}"`,
            },
          ]
        : [],
    ),
);

const isLost = ({ source, ids }: PreparedPrompt, tokenizer: PreparedTask['context']['tokenizer']): boolean =>
  typeof source === 'string' && tokenizer !== null && ids.length > 0 && !roundTrips(source, ids, tokenizer);
