/** From a task file to what later stages run: tokenised, linted, split. */
import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';
import { printable } from '../printable.js';
import { type Finding } from './finding.js';
import { LINT_RULES } from './lint/index.js';
import {
  prepareTask,
  type PreparedAnswer,
  type PreparedOption,
  type PreparedPair,
  type PreparedTask,
  type TaskContext,
} from './prepare.js';
import { pairKey } from './pair-key.js';
import type { Range } from './spans.js';
import type { ProvenanceSource, TaskFile } from './schema.js';
import { drawSplits, wholeSplits } from './splits.js';
import type { Answer, AnswerSet, CheckedTask, Example, Splits } from './types.js';

export interface TaskCheck {
  /** null when there is an error among the findings */
  readonly task: CheckedTask | null;
  readonly findings: readonly Finding[];
}

/**
 * Tokenises a task for a model, runs every lint rule, and splits the pairs. Positions and spans of the result count the
 * BOS; effects are per pair, in the order of the file.
 *
 * Never throws for a faulty task: `requireClean(findings)` does.
 */
export const checkTask = (file: TaskFile, context: TaskContext): TaskCheck => {
  const prepared = prepareTask(file, context);
  if (!('pairs' in prepared)) return { task: null, findings: prepared };
  const findings = LINT_RULES.flatMap((rule) => rule.check(prepared));
  const faulty = findings.some(({ severity }) => severity === 'error');
  return { task: faulty ? null : checked(prepared), findings };
};

const checked = (task: PreparedTask): CheckedTask => ({
  name: printable(task.file.name),
  metric: task.metric.key,
  examples: task.pairs.map((pair) => example(pair, task)),
  splits: splitsOf(task),
  digest: taskDigest(task.file),
  bos: task.bos,
  provenance: provenanceText(task.file.provenance),
});

/** SHA-256 (hex) of the task's content in canonical JSON (RFC 8785): white space and the order of fields do not matter. */
const taskDigest = (file: TaskFile): string =>
  createHash('sha256')
    .update(canonicalize(file) ?? '')
    .digest('hex');

const example = (pair: PreparedPair, { metric }: PreparedTask): Example => ({
  index: pair.index,
  clean: pair.clean.tokens,
  corrupt: pair.corrupt.tokens,
  answers: pair.answers.map((answer) => answerOf(answer, metric.combine)),
  spans: spansOf(pair),
  group: pair.source.group === undefined ? null : printable(pair.source.group),
});

/** Without a prototype, so that a span called `constructor` is there only if the pair has it. */
const spansOf = ({ spans }: PreparedPair): Example['spans'] => {
  const named = Object.create(null) as Record<string, Range>;
  for (const [name, span] of spans) if ('range' in span) named[name] = span.range;
  return named;
};

const answerOf = (answer: PreparedAnswer, combine: 'mean' | 'sum'): Answer => ({
  // the lint rules have refused an answer without a position
  position: answer.position as number,
  correct: answerSet(answer.correct ?? [], combine),
  incorrect: answerSet(answer.incorrect ?? [], combine),
  ...(answer.target === null ? {} : { target: answer.target }),
});

const answerSet = (options: readonly PreparedOption[], combine: 'mean' | 'sum'): AnswerSet => {
  const total = combine === 'sum' ? 1 : options.reduce((sum, { weight }) => sum + weight, 0);
  return { ids: options.flatMap(({ ids }) => ids), weights: options.map(({ weight }) => weight / total) };
};

const splitsOf = ({ file, pairs, context: { split, seed } }: PreparedTask): Splits => {
  if (!split) return wholeSplits(pairs.length, seed);
  return file.splits === undefined ? drawSplits(pairs.map(pairKey), seed) : { ...file.splits, whole: false, seed };
};

const provenanceText = (provenance: ProvenanceSource | undefined): string => {
  if (provenance === undefined || typeof provenance === 'string') return provenance ?? '';
  const { source, licence, note, dropped = [] } = provenance;
  const left = dropped.map(({ reason, count }) => `${count} left out: ${reason}`);
  return [source, licence, note, ...left].filter((part) => part !== undefined).join('; ');
};
