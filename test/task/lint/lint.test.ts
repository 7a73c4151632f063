import { expect } from 'chai';
import type { TheveninError } from '../../../src/errors.js';
import { wordTokenizer } from '../../../src/model/tokenizer.js';
import { checkTask } from '../../../src/task/check.js';
import { requireClean, type Finding } from '../../../src/task/finding.js';
import { LINT_RULES } from '../../../src/task/lint/index.js';
import type { TaskPair } from '../../../src/task/schema.js';
import { PAIR_CASES } from './cases-pairs.js';
import { POSITION_CASES } from './cases-positions.js';
import { good, lint, tokenizer, words, type RuleCases } from './setup.js';
import { configFor } from '../tokenizers.js';

const CASES = { ...PAIR_CASES, ...POSITION_CASES };

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
