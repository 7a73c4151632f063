import { pairRule } from '../rule.js';

/** Within a text a space belongs to the word that follows, and so do the tokens that models have learned. */
export const lastSpace = pairRule(
  'last-space',
  'no prompt ends in a space, which belongs to the answer',
  ({ clean, corrupt }, { context }) =>
    Object.entries({ clean, corrupt })
      .filter(([, { source }]) => typeof source === 'string' && context.tokenizer !== null && /\S $/.test(source))
      .map(([side]) => ({
        severity: 'warning' as const,
        what: `${side} ends in a space, after which models seldom go on with a word: take it out of the prompt and begin the answers with it`,
      })),
);
