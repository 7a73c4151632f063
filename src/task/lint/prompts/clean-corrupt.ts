import { pairRule } from '../rule.js';

export const cleanCorrupt = pairRule('clean-corrupt', 'clean and corrupt differ', ({ clean, corrupt }) =>
  clean.tokens.join(' ') === corrupt.tokens.join(' ')
    ? [{ what: 'clean and corrupt are the same prompt, so every effect is 0: change what the answer depends on' }]
    : [],
);
