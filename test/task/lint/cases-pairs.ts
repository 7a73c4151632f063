/** What the rules on prompts, answers and splits pass and find. */
import type { TaskPair } from '../../../src/task/schema.js';
import { good, tokenizer, type RuleCases } from './setup.js';

export const PAIR_CASES: Readonly<Record<string, RuleCases>> = {
  'token-length': {
    passes: [{ what: 'prompts of as many tokens' }],
    fails: [
      {
        what: 'a corrupt prompt with a word of several tokens',
        pair: { corrupt: 'When Mary and John went to the store Al gave to' },
        finding: { pair: 1, position: 8, severity: 'error' },
        message: /^T\.json, pair 1, position 8: clean has 11 tokens but corrupt has 13/,
      },
      {
        what: 'a prompt that goes on where the other ends',
        pair: { corrupt: 'When Mary and John went to the store John gave' },
        finding: { pair: 1, position: 10 },
        message: /clean has 11 tokens but corrupt has 10/,
      },
    ],
  },
  'answer-tokens': {
    passes: [{ what: 'answers of one token' }, { what: 'a token id', pair: { correct: 17 } }],
    fails: [
      {
        what: 'an answer of several tokens',
        pair: { correct: ' Ann' },
        finding: { pair: 1, position: 10 },
        message: /the correct answer " Ann" is 4 tokens \(" ", "A", "n", "n"\), not one: choose another word/,
      },
      {
        what: 'one of a list of answers',
        pair: { incorrect: [' John', 'to the'] },
        finding: { pair: 1 },
        message: /the incorrect answer "to the" is 2 tokens/,
      },
    ],
  },
  'answer-distractor': {
    passes: [{ what: 'different answers' }],
    fails: [
      {
        what: 'an answer that is also the distractor',
        pair: { incorrect: ' Mary' },
        finding: { pair: 1, position: 10 },
        message: /" Mary" is both a correct and an incorrect answer/,
      },
      {
        what: 'sets that overlap, text here and id there',
        pair: { correct: [' Mary', ' Anna'], incorrect: tokenizer.encode(' Anna') },
        finding: { pair: 1 },
        message: /" Anna" is both/,
      },
    ],
  },
  'clean-corrupt': {
    passes: [{ what: 'prompts that differ' }],
    fails: [
      {
        what: 'the same prompt twice',
        pair: { corrupt: good.clean },
        finding: { pair: 1 },
        message: /same prompt, so every effect is 0/,
      },
    ],
  },
  'answer-space': {
    passes: [
      { what: 'answers with their leading space' },
      {
        what: 'answers that go on a number',
        pair: { clean: 'When 1', corrupt: 'When 2', correct: '3', incorrect: '4', spans: undefined },
      },
      {
        what: 'a word after a quotation mark',
        pair: { clean: 'to Mary "', corrupt: 'to John "', correct: 'Mary', incorrect: 'John', spans: undefined },
      },
      { what: 'an answer whose spaced form is no token', pair: { correct: 'x', incorrect: 'y' } },
    ],
    fails: [
      {
        what: 'an answer without its leading space that happens to be one token',
        pair: { correct: 'Mary' },
        finding: { pair: 1, severity: 'warning' },
        message: /the correct answer "Mary" has no leading space, .* write " Mary"/,
      },
    ],
  },
  'last-space': {
    passes: [{ what: 'prompts that end in a word' }],
    fails: [
      {
        what: 'a prompt that ends in a space',
        pair: { clean: `${String(good.clean)} `, corrupt: `${String(good.corrupt)} ` },
        finding: { pair: 1, severity: 'warning' },
        message: /clean ends in a space, .* begin the answers with it/,
      },
    ],
  },
  'duplicate-pairs': {
    passes: [
      { what: 'different pairs' },
      {
        what: 'a pair that asks the opposite question, its roles exchanged',
        pair: { clean: good.corrupt, corrupt: good.clean, correct: ' John', incorrect: ' Mary', spans: undefined },
      },
    ],
    fails: [
      {
        what: 'a pair that is repeated',
        pair: { corrupt: good.corrupt },
        finding: { pair: 1, severity: 'warning' },
        message: /same prompts as pair 0, so it counts twice/,
      },
      {
        what: 'a pair that is repeated in another split with its roles exchanged',
        pair: { clean: good.corrupt, corrupt: good.clean, spans: undefined },
        file: { splits: { discover: [0], choose: [], report: [1] } },
        context: { split: true },
        finding: { pair: 1, severity: 'error' },
        message: /is in split "report" but has the same prompts as pair 0 in split "discover"/,
      },
      {
        what: 'a pair that is repeated in another split',
        pair: { corrupt: good.corrupt },
        file: { splits: { discover: [0], choose: [], report: [1] } },
        context: { split: true },
        finding: { pair: 1, severity: 'error' },
        message: /is in split "report" but has the same prompts as pair 0 in split "discover"/,
      },
    ],
  },
  splits: {
    passes: [
      { what: 'one pair for everything' },
      {
        what: 'splits of their own',
        file: {
          pairs: ['Mary', 'Anna', 'John'].map((name): TaskPair => ({
            ...good,
            spans: {},
            clean: `When ${name}`,
            corrupt: 'When and',
          })),
          splits: { discover: [0], choose: [1], report: [2] },
        },
        context: { split: true },
      },
    ],
    fails: [
      {
        what: 'too few pairs to split',
        context: { split: true },
        finding: { pair: null },
        message: /2 distinct pairs cannot be split into discover, choose and report: give at least 4, or .* --no-split/,
      },
      {
        what: 'an empty split',
        file: { splits: { discover: [0], choose: [], report: [1] } },
        context: { split: true },
        finding: { pair: null },
        message: /split "choose" is empty/,
      },
      {
        what: 'a pair in two splits',
        file: { splits: { discover: [0], choose: [1], report: [1] } },
        context: { split: true },
        finding: { pair: 1 },
        message: /is in split "choose" and again in "report"/,
      },
      {
        what: 'a pair that is not there',
        file: { splits: { discover: [0], choose: [1], report: [2] } },
        context: { split: true },
        finding: { pair: 2 },
        message: /split "report" names a pair that is not there \(there are 2\)/,
      },
    ],
  },
};
