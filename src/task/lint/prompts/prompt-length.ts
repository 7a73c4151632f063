import { pairRule } from '../rule.js';

export const promptLength = pairRule(
  'prompt-length',
  'prompts are not empty and fit the context',
  ({ clean, corrupt }, { context }) =>
    Object.entries({ clean, corrupt }).flatMap(([side, { tokens }]) => {
      if (tokens.length === 0) return [{ what: `${side} is empty` }];
      const { nCtx, name } = context.config;
      return tokens.length <= nCtx
        ? []
        : [
            {
              position: nCtx,
              what: `${side} has ${tokens.length} tokens but ${name}'s context holds ${nCtx}: shorten the prompt`,
            },
          ];
    }),
);
