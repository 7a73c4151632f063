import type { PreparedPair } from './prepare.js';

/** Equal for pairs that run the same two prompts, in either role: such pairs must not be in different splits. */
export const pairKey = ({ clean, corrupt }: PreparedPair): string =>
  [clean, corrupt]
    .map(({ tokens }) => tokens.join(' '))
    .sort()
    .join('|');
