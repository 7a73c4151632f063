import { tokensPage } from '../pages/tokens.js';
import { TOKENS_SCHEMA, type TokensRecord } from '../records/tokens.js';
import { page, type RunFolder } from './types.js';

export const TOKENS: RunFolder<TokensRecord> = {
  key: 'tokens',
  file: 'tokens.json',
  schema: TOKENS_SCHEMA,
  sidecars: ({ perPair }) => [perPair],
  views: [page('tokens.html', 'prompts with every token coloured by what it contributes', tokensPage)],
};
