/** The lint rules, in the order in which their findings are reported. */
import { answerDistractor } from './answer-distractor.js';
import { answerPosition } from './answer-position.js';
import { answersPresent } from './answers-present.js';
import { answerTokens } from './answer-tokens.js';
import { bos } from './bos.js';
import { cleanCorrupt } from './clean-corrupt.js';
import { duplicatePairs } from './duplicate-pairs.js';
import { lostText } from './lost-text.js';
import { promptLength } from './prompt-length.js';
import type { LintRule } from './rule.js';
import { spanNames } from './span-names.js';
import { spans } from './spans.js';
import { splits } from './splits.js';
import { tokenLength } from './token-length.js';
import { tokenizerDigest } from './tokenizer-digest.js';
import { vocabulary } from './vocabulary.js';

export const LINT_RULES: readonly LintRule[] = [
  tokenizerDigest,
  promptLength,
  vocabulary,
  bos,
  tokenLength,
  cleanCorrupt,
  answersPresent,
  answerTokens,
  answerDistractor,
  answerPosition,
  spans,
  spanNames,
  lostText,
  duplicatePairs,
  splits,
];
