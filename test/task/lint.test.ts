import { expect } from 'chai';
import { TheveninError } from '../../src/errors.js';
import { wordTokenizer } from '../../src/model/tokenizer.js';
import { checkTask } from '../../src/task/check.js';
import { requireClean, type Finding } from '../../src/task/finding.js';
import { LINT_RULES } from '../../src/task/lint/index.js';
import type { TaskContext } from '../../src/task/prepare.js';
import type { TaskFile, TaskPair } from '../../src/task/schema.js';
import { configFor, textTokenizer } from './tokenizers.js';

const words = 'When Mary Anna John and went to the store gave'.split(' ');
const tokenizer = textTokenizer({ words });
const good: TaskPair = {
  clean: 'When Mary and John went to the store John gave to',
  corrupt: 'When Mary and John went to the store Mary gave to',
  correct: ' Mary',
  incorrect: ' John',
  spans: { IO: { text: 'Mary', at: [1, 2] } },
};

interface Case {
  /** of the second pair; the first is faultless */
  readonly pair?: Partial<Record<keyof TaskPair, unknown>>;
  readonly file?: Partial<TaskFile>;
  readonly context?: Partial<TaskContext>;
}

const lint = ({ pair = {}, file = {}, context = {} }: Case): readonly Finding[] => {
  const second = JSON.parse(
    JSON.stringify({ ...good, corrupt: 'When Mary and John went to the store Anna gave to', ...pair }),
  ) as TaskPair;
  const task: TaskFile = { name: 't', metric: 'logit-difference', pairs: [good, second], ...file };
  return checkTask(task, { path: 'T.json', tokenizer, config: configFor(tokenizer), split: false, seed: 0, ...context })
    .findings;
};

interface Failing extends Case {
  readonly what: string;
  readonly finding: Partial<Finding>;
  readonly message: RegExp;
}
interface RuleCases {
  readonly passes: readonly (Case & { readonly what: string })[];
  readonly fails: readonly Failing[];
}

const ids = { clean: [5, 6, 7], corrupt: [5, 8, 7], correct: 9, incorrect: 10, spans: undefined };
const digest = 'b'.repeat(64);

const CASES: Readonly<Record<string, RuleCases>> = {
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
  'duplicate-pairs': {
    passes: [{ what: 'different pairs' }],
    fails: [
      {
        what: 'a pair that is repeated',
        pair: { corrupt: good.corrupt },
        finding: { pair: 1, severity: 'warning' },
        message: /same prompts as pair 0, so it counts twice/,
      },
      {
        what: 'a pair that is repeated with its roles exchanged',
        pair: { clean: good.corrupt, corrupt: good.clean, spans: undefined },
        finding: { pair: 1, severity: 'warning' },
        message: /pair 0/,
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
  bos: {
    passes: [
      { what: 'no BOS' },
      { what: 'BOS in both prompts', pair: { ...ids, clean: [0, 5, 6], corrupt: [0, 5, 7] } },
      { what: 'BOS prepended to both', context: { bos: true } },
    ],
    fails: [
      {
        what: 'BOS on one side',
        pair: { ...ids, clean: [0, 5, 6], corrupt: [4, 5, 6] },
        finding: { pair: 1, position: 0 },
        message: /clean begins with BOS \(id 0, "<bos>"\) but corrupt does not/,
      },
      {
        what: 'BOS prepended to the text of one side, while the other is ids',
        pair: { clean: 'When Mary', corrupt: [5, 6], spans: undefined },
        context: { tokenizer: { ...tokenizer, prependsBos: true } },
        finding: { pair: 1, position: 0 },
        message: /clean begins with BOS .* but corrupt does not: write both as text or both as ids/,
      },
      {
        what: 'BOS twice',
        pair: { ...ids, clean: [0, 0, 6], corrupt: [0, 0, 7] },
        finding: { pair: 1, position: 1 },
        message: /clean begins with BOS .* twice/,
      },
      {
        what: 'a BOS that the model does not have',
        file: { bos: true },
        context: { tokenizer: { ...tokenizer, bosId: null } },
        finding: { pair: null },
        message: /bos is true but tiny has no BOS token/,
      },
    ],
  },
  spans: {
    passes: [
      { what: 'spans within the prompt', pair: { spans: { end: [10, 11], all: [0, 11] } } },
      {
        what: 'a span whose text is there',
        pair: { spans: { S2: { text: ' John', at: [8, 9] }, place: 'the store' } },
      },
    ],
    fails: [
      {
        what: 'a span that is off by one from its text',
        pair: { spans: { S2: { text: 'John', at: [9, 10] } } },
        finding: { pair: 1, position: 9 },
        message: /^T\.json, pair 1, position 9: span "S2" \[9, 10\) is off by one: "John" stands at \[8, 9\)/,
      },
      {
        what: 'a span beyond the end by one, as when BOS was counted',
        pair: { spans: { end: [11, 12] } },
        finding: { pair: 1, position: 11 },
        message:
          /span "end" \[11, 12\) reaches beyond the prompt, which has 11 tokens \(off by one\? a BOS that is prepended is not counted\)/,
      },
      {
        what: 'a span whose text is elsewhere',
        pair: { spans: { S2: { text: 'John', at: [5, 6] } } },
        finding: { pair: 1, position: 5 },
        message: /does not hold "John": it stands at \[3, 4\), \[8, 9\)/,
      },
      {
        what: 'a span whose text is nowhere',
        pair: { spans: { S2: 'Anna' } },
        finding: { pair: 1 },
        message: /names "Anna", which does not occur/,
      },
      {
        what: 'a text that occurs twice',
        pair: { spans: { S2: 'John' } },
        finding: { pair: 1 },
        message: /occurs 2 times: say which with "occurrence"/,
      },
      {
        what: 'an occurrence that is not there',
        pair: { spans: { S2: { text: 'John', occurrence: 3 } } },
        finding: { pair: 1 },
        message: /asks for occurrence 3 of "John", which occurs 2 times/,
      },
      {
        what: 'half a token',
        pair: { spans: { S2: 'tore' } },
        finding: { pair: 1 },
        message: /does not begin and end where tokens do/,
      },
      { what: 'an empty span', pair: { spans: { S2: [4, 4] } }, finding: { pair: 1 }, message: /\[4, 4\) is empty/ },
      {
        what: 'a text span of a prompt given as ids',
        pair: { ...ids, spans: { S2: 'John' } },
        finding: { pair: 1 },
        message: /the prompt is token ids: give \[first, afterLast\]/,
      },
    ],
  },
  vocabulary: {
    passes: [{ what: 'ids of the vocabulary', pair: { ...ids, incorrect: tokenizer.vocabSize - 1 } }],
    fails: [
      {
        what: 'a prompt of another vocabulary',
        pair: { ...ids, corrupt: [5, 50000, 7] },
        finding: { pair: 1, position: 1 },
        message:
          /corrupt has the token id 50000, outside the vocabulary \(0 … \d+\): is the task made for another tokenizer\?/,
      },
      {
        what: 'an answer outside the output vocabulary',
        pair: { ...ids, incorrect: tokenizer.vocabSize },
        finding: { pair: 1, position: 2 },
        message: /incorrect answer's id \d+ is outside tiny's output vocabulary/,
      },
    ],
  },
  'prompt-length': {
    passes: [{ what: 'prompts as long as the context', context: { config: configFor(tokenizer, { nCtx: 11 }) } }],
    fails: [
      {
        what: 'a prompt longer than the context',
        context: { config: configFor(tokenizer, { nCtx: 10 }) },
        finding: { pair: 1, position: 10 },
        message: /clean has 11 tokens but tiny's context holds 10: shorten the prompt/,
      },
      {
        what: 'a prompt that BOS makes too long',
        context: { bos: true, config: configFor(tokenizer, { nCtx: 11 }) },
        finding: { pair: 1 },
        message: /clean has 12 tokens/,
      },
      {
        what: 'an empty prompt',
        pair: { clean: '', corrupt: [], spans: {} },
        finding: { pair: 1 },
        message: /clean is empty/,
      },
    ],
  },
  'answers-present': {
    passes: [
      { what: 'the answers that the metric needs' },
      { what: 'answers that the metric does not use', file: { metric: 'kl-divergence' } },
    ],
    fails: [
      {
        what: 'a distractor that is missing',
        pair: { incorrect: undefined },
        finding: { pair: 1, position: 10 },
        message: /the metric logit-difference needs "incorrect"/,
      },
      {
        what: 'a target that is missing',
        file: { metric: 'squared-error' },
        finding: { pair: 1 },
        message: /needs "target"/,
      },
      { what: 'an empty list', pair: { correct: [] }, finding: { pair: 1 }, message: /"correct" is an empty list/ },
      { what: 'empty text', pair: { correct: '' }, finding: { pair: 1 }, message: /a correct answer is empty text/ },
      {
        what: 'answers in two places',
        pair: { answers: [{ at: 2, correct: 9, incorrect: 10 }] },
        finding: { pair: 1 },
        message: /both "answers" and answers beside them/,
      },
    ],
  },
  'answer-position': {
    passes: [
      {
        what: 'positions of the prompt',
        pair: {
          correct: undefined,
          incorrect: undefined,
          answers: [0, 10, -11, 'IO'].map((at) => ({ at, correct: 9, incorrect: 10 })),
        },
      },
    ],
    fails: [
      ...[11, -12].map((at): Failing => ({
        what: `position ${at} of 11 tokens`,
        pair: { correct: undefined, incorrect: undefined, answers: [{ at, correct: 9, incorrect: 10 }] },
        finding: { pair: 1 },
        message: new RegExp(`an answer is asked for at ${at}, outside the prompt, which has 11 tokens`),
      })),
      {
        what: 'a span that is not there',
        pair: { correct: undefined, incorrect: undefined, answers: [{ at: 'S2', correct: 9, incorrect: 10 }] },
        finding: { pair: 1 },
        message: /at "S2", but the pair has no span of that name/,
      },
    ],
  },
  'lost-text': {
    passes: [{ what: 'words that the tokenizer can write' }],
    fails: [
      {
        what: 'words that the tokenizer drops',
        context: {
          tokenizer: { ...tokenizer, decode: (tokens) => tokenizer.decode(tokens).replace('store', '<unk>') },
        },
        finding: { pair: 1, severity: 'warning' },
        message:
          /clean has words that tiny's tokenizer cannot write; the model reads "When Mary and John went to the <unk> John/,
      },
    ],
  },
  'tokenizer-digest': {
    passes: [
      { what: 'ids of this tokenizer', file: { model: { tokenizer: tokenizer.digest } } },
      { what: 'no digest' },
    ],
    fails: [
      {
        what: 'ids of another tokenizer',
        file: { model: { name: 'gpt2', tokenizer: digest } },
        finding: { pair: null, severity: 'error' },
        message: /token ids were made with another tokenizer \(bbbbbbbbbbbb…, gpt2\) than tiny's \(aaaaaaaaaaaa…\)/,
      },
    ],
  },
};

describe('the linter', () => {
  it('has a passing and a failing case for every rule', () => {
    expect(Object.keys(CASES)).to.have.members(LINT_RULES.map(({ key }) => key));
  });

  for (const { key, title } of LINT_RULES) {
    describe(`${key}: ${title}`, () => {
      const { passes, fails } = CASES[key] as RuleCases;
      for (const one of passes) {
        it(`passes ${one.what}`, () => {
          expect(lint(one).filter(({ severity, rule }) => severity === 'error' || rule === key)).to.deep.equal([]);
        });
      }
      for (const one of fails) {
        it(`finds ${one.what}`, () => {
          const found = lint(one).filter(({ rule, pair }) => rule === key && pair === (one.finding.pair ?? null));
          expect(found).to.not.be.empty;
          expect(found[0]).to.include({ file: 'T.json', severity: 'error', ...one.finding });
          expect(found[0]?.message)
            .to.match(one.message)
            .and.match(/^T\.json/)
            .and.not.include('\n');
        });
      }
    });
  }

  it('says that a leading space was forgotten, where that is the fault', () => {
    const joined: typeof tokenizer = {
      ...tokenizer,
      encode: (text) => (text === 'Mary' ? [77, 97] : tokenizer.encode(text)),
    };
    const [found] = lint({ pair: { correct: 'Mary' }, context: { tokenizer: joined } });
    expect(found?.message).to.match(/"Mary" is 2 tokens .* with its leading space, " Mary", it is one/);
  });

  it('names text that a model without a tokenizer cannot read', () => {
    const [found] = lint({ context: { tokenizer: null } });
    expect(found).to.include({
      rule: 'tokenizer',
      pair: 0,
      message: 'T.json, pair 0: has text, but tiny has no tokenizer: give token ids',
    });
  });

  it('names the pair with words that are not in a vocabulary of whole words', () => {
    const whole = wordTokenizer([...words, 'a'], { bosId: null, origin: 'model.json' });
    const pair = {
      clean: 'When Mary went',
      corrupt: 'When Zoe went',
      correct: 'to',
      incorrect: 'and',
      spans: undefined,
    };
    const found = lint({
      file: { pairs: [{ ...pair, corrupt: 'When Anna went' }, pair].map(({ spans: _, ...rest }) => rest) },
      context: { tokenizer: whole },
    });
    expect(found).to.have.length(1);
    expect(found[0]).to.include({ pair: 1, severity: 'error' });
    expect(found[0]?.message).to.match(/^T\.json, pair 1: 'Zoe' is not in the model's vocabulary/);
  });

  it('finds every fault of every pair, not the first alone', () => {
    const rules = lint({ pair: { corrupt: good.clean, incorrect: ' Mary' } }).map(({ rule }) => rule);
    expect(rules).to.have.members(['clean-corrupt', 'answer-distractor']);
  });

  it('leaves no task to run when there is an error, and one when there are warnings alone', () => {
    const task = (pairs: TaskPair[]) =>
      checkTask(
        { name: 't', metric: 'logit-difference', pairs },
        { path: 'T.json', tokenizer, config: configFor(tokenizer), split: false, seed: 0 },
      ).task;
    expect(task([good, { ...good, corrupt: good.clean }])).to.equal(null);
    expect(task([good, good])?.examples).to.have.length(2);
  });
});

describe('requireClean', () => {
  const thrown = (findings: readonly Finding[]): TheveninError | null => {
    try {
      requireClean(findings);
      return null;
    } catch (error) {
      return error as TheveninError;
    }
  };

  it('refuses with the first error and the number of the others', () => {
    const error = thrown(lint({ pair: { corrupt: good.clean, incorrect: ' Mary' } }));
    expect(error).to.include({ code: 'task/faulty', exit: 2 });
    expect(error?.message).to.match(/^T\.json, pair 1: clean and corrupt are the same prompt.* \(and 1 more error\)$/);
  });

  it('lets warnings pass', () => {
    const warnings = lint({ pair: { corrupt: good.corrupt } });
    expect(warnings).to.have.length(1);
    expect(thrown(warnings)).to.equal(null);
  });
});
