import type { Grouping } from './types.js';

/** All reference prompts and all their positions together. */
export const EVERYTHING: Grouping = {
  positional: false,
  groupOf: () => '',
  describe: () => 'prompts',
};

/** Each position apart, hence prompts of each length apart. */
export const BY_LENGTH: Grouping = {
  positional: true,
  groupOf: ({ clean }) => `${clean.length}`,
  describe: ({ clean }) => `prompts of ${clean.length} tokens`,
};

/** Each position apart, among prompts made from the same template. */
export const BY_TEMPLATE: Grouping = {
  positional: true,
  groupOf: ({ clean, group }) => (group === null ? null : `${clean.length} ${group}`),
  describe: ({ clean, group }) => `prompts of ${clean.length} tokens from the template ${JSON.stringify(group)}`,
};
