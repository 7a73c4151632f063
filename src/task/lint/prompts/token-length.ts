import { pairRule } from '../rule.js';

export const tokenLength = pairRule(
  'token-length',
  'clean and corrupt have the same number of tokens',
  ({ clean, corrupt }) => {
    const [a, b] = [clean.tokens, corrupt.tokens];
    if (a.length === b.length) return [];
    const position = a.findIndex((id, at) => id !== b[at]);
    return [
      {
        position: position < 0 ? a.length : position,
        what: `clean has ${a.length} tokens but corrupt has ${b.length} (they part here): every position must correspond, so use words of as many tokens`,
      },
    ];
  },
);
