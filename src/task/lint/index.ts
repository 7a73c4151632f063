/** The lint rules, in the order in which their findings are reported. */
import { answerDistractor } from './answers/answer-distractor.js';
import { answerPosition } from './answers/answer-position.js';
import { answersPresent } from './answers/answers-present.js';
import { answerSpace } from './answers/answer-space.js';
import { answerTokens } from './answers/answer-tokens.js';
import { bos } from './prompts/bos.js';
import { cleanCorrupt } from './prompts/clean-corrupt.js';
import { duplicatePairs } from './prompts/duplicate-pairs.js';
import { lastSpace } from './prompts/last-space.js';
import { lostText } from './prompts/lost-text.js';
import { promptLength } from './prompts/prompt-length.js';
import type { LintRule } from './rule.js';
import { spanNames } from './span-names.js';
import { spans } from './spans.js';
import { splits } from './splits.js';
import { tokenLength } from './prompts/token-length.js';
import { tokenizerDigest } from './prompts/tokenizer-digest.js';
import { vocabulary } from './prompts/vocabulary.js';

export const LINT_RULES: readonly LintRule[] = [
  tokenizerDigest,
  promptLength,
  vocabulary,
  bos,
  tokenLength,
  cleanCorrupt,
  answersPresent,
  answerTokens,
  answerSpace,
  answerDistractor,
  answerPosition,
  spans,
  spanNames,
  lastSpace,
  lostText,
  duplicatePairs,
  splits,
];
