/** A faultless pair, and linting a second one that differs from it. */
import { checkTask } from '../../../src/task/check.js';
import type { Finding } from '../../../src/task/finding.js';
import type { TaskContext } from '../../../src/task/prepare.js';
import type { TaskFile, TaskPair } from '../../../src/task/schema.js';
import { configFor, textTokenizer } from '../tokenizers.js';

export const words = 'When Mary Anna John and went to the store gave'.split(' ');
export const tokenizer = textTokenizer({ words });
export const good: TaskPair = {
  clean: 'When Mary and John went to the store John gave to',
  corrupt: 'When Mary and John went to the store Mary gave to',
  correct: ' Mary',
  incorrect: ' John',
  spans: { IO: { text: 'Mary', at: [1, 2] } },
};

export interface Case {
  /** of the second pair; the first is faultless */
  readonly pair?: Partial<Record<keyof TaskPair, unknown>>;
  readonly file?: Partial<TaskFile>;
  readonly context?: Partial<TaskContext>;
}

export const lint = ({ pair = {}, file = {}, context = {} }: Case): readonly Finding[] => {
  const second = JSON.parse(
    JSON.stringify({ ...good, corrupt: 'When Mary and John went to the store Anna gave to', ...pair }),
  ) as TaskPair;
  const task: TaskFile = { name: 't', metric: 'logit-difference', pairs: [good, second], ...file };
  return checkTask(task, { path: 'T.json', tokenizer, config: configFor(tokenizer), split: false, seed: 0, ...context })
    .findings;
};

export interface Failing extends Case {
  readonly what: string;
  readonly finding: Partial<Finding>;
  readonly message: RegExp;
}
export interface RuleCases {
  readonly passes: readonly (Case & { readonly what: string })[];
  readonly fails: readonly Failing[];
}

export const ids = { clean: [5, 6, 7], corrupt: [5, 8, 7], correct: 9, incorrect: 10, spans: undefined };
export const digest = 'b'.repeat(64);
