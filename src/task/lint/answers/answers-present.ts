import type { PreparedAnswer } from '../../prepare.js';
import type { TaskMetric } from '../../metrics.js';
import { everyOption, pairRule, placed, type Remark } from '../rule.js';

export const answersPresent = pairRule(
  'answers-present',
  'a pair has the answers that the metric asks for, and no empty ones',
  (pair, { metric }) => {
    const { source } = pair;
    const twice = source.answers !== undefined && (source.correct ?? source.incorrect ?? source.target) !== undefined;
    return [
      ...(twice ? [{ what: 'has both "answers" and answers beside them: keep one' }] : []),
      ...pair.answers.flatMap((answer) => missing(answer, metric)),
      ...everyOption(pair)
        .filter((option) => option.source === '')
        .map(({ role, answer }) => ({ ...placed(answer.position), what: `a ${role} answer is empty text` })),
    ];
  },
);

/** What a metric has no use for is passed over, so that a file can be run under another metric. */
const missing = (answer: PreparedAnswer, metric: TaskMetric): Remark[] =>
  (['correct', 'incorrect', 'target'] as const).flatMap((field) => {
    const value = answer[field];
    if (Array.isArray(value) && value.length === 0) {
      return [{ ...placed(answer.position), what: `"${field}" is an empty list` }];
    }
    return value === null && metric[field] === 'required'
      ? [{ ...placed(answer.position), what: `the metric ${metric.key} needs "${field}"` }]
      : [];
  });
