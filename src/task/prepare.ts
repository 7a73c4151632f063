/** Tokenises a task file for one model. Nothing is judged here: the lint rules look at what comes out. */
import { TheveninError } from '../errors.js';
import type { ModelConfig, Tokenizer } from '../model/types.js';
import { finding, type Finding } from './finding.js';
import { taskMetric, type TaskMetric } from './metrics.js';
import type { AnswersSource, PromptSource, TaskFile, TaskPair } from './schema.js';
import { answerIds, attempt } from './words.js';
import { resolveSpan, type EncodedText, type Range, type ResolvedSpan } from './spans.js';

/** For what a task is checked. */
export interface TaskContext {
  /** how messages name the task file */
  readonly path: string;
  readonly tokenizer: Tokenizer | null;
  readonly config: ModelConfig;
  /** stands above the file's own `bos` */
  readonly bos?: boolean | 'auto';
  /** false: every pair is used for everything */
  readonly split: boolean;
  /** of the splits */
  readonly seed: number;
}

export interface PreparedPrompt extends EncodedText {
  /** what the model is asked with: `ids`, with a BOS before them where one is prepended */
  readonly tokens: readonly number[];
  /** 1 where a BOS was prepended, else 0: what a position in the file is shifted by */
  readonly shift: 0 | 1;
}

/** One member of an answer set. */
export interface PreparedOption {
  readonly source: string | number;
  readonly ids: readonly number[];
  readonly weight: number;
}

export interface PreparedAnswer {
  /** as written; null: the last position */
  readonly at: number | string | null;
  /** in `tokens`; null when `at` names no span; may lie outside the prompt */
  readonly position: number | null;
  readonly correct: readonly PreparedOption[] | null;
  readonly incorrect: readonly PreparedOption[] | null;
  readonly target: number | null;
}

export interface PreparedPair {
  readonly index: number;
  readonly source: TaskPair;
  readonly clean: PreparedPrompt;
  readonly corrupt: PreparedPrompt;
  readonly answers: readonly PreparedAnswer[];
  /** positions in `tokens` */
  readonly spans: ReadonlyMap<string, ResolvedSpan>;
}

export interface PreparedTask {
  readonly file: TaskFile;
  readonly context: TaskContext;
  readonly metric: TaskMetric;
  /** whether every prompt begins with BOS */
  readonly bos: boolean;
  readonly pairs: readonly PreparedPair[];
}

/** The task's prompts and answers as token ids, or why the model cannot be asked with them. */
export const prepareTask = (file: TaskFile, context: TaskContext): PreparedTask | readonly Finding[] => {
  const unready = unaskable(file, context);
  if (unready !== null) return [unready];
  const bos = bosWanted(file, context);
  const metric = taskMetric(file.metric);
  const pairs: PreparedPair[] = [];
  const unwritable: Finding[] = [];
  file.pairs.forEach((pair, index) => {
    const prepared = attempt(() => preparePair(pair, index, context, { metric, bos }));
    if (prepared instanceof TheveninError) {
      unwritable.push(finding('error', 'tokenizer', { file: context.path, pair: index }, prepared.message));
    } else pairs.push(prepared);
  });
  if (unwritable.length > 0) return unwritable;
  const bosId = context.tokenizer?.bosId ?? null;
  return { file, context, metric, bos: bosId !== null && pairs.every(({ clean }) => clean.tokens[0] === bosId), pairs };
};

const bosWanted = (file: TaskFile, context: TaskContext): boolean | 'auto' => context.bos ?? file.bos ?? 'auto';

const unaskable = (file: TaskFile, context: TaskContext): Finding | null => {
  const { path, tokenizer, config } = context;
  if (bosWanted(file, context) === true && (tokenizer?.bosId ?? null) === null) {
    return finding(
      'error',
      'bos',
      { file: path },
      `bos is true but ${config.name} has no BOS token: set bos to "auto" or false`,
    );
  }
  if (tokenizer !== null) return null;
  const pair = file.pairs.findIndex(usesText);
  if (pair < 0) return null;
  return finding(
    'error',
    'tokenizer',
    { file: path, pair },
    `has text, but ${config.name} has no tokenizer: give token ids`,
  );
};

const usesText = (pair: TaskPair): boolean =>
  [
    pair.clean,
    pair.corrupt,
    ...answerSources(pair).flatMap(({ correct, incorrect }) => [
      ...members(correct ?? []).map(([source]) => source),
      ...members(incorrect ?? []).map(([source]) => source),
    ]),
  ].some((source) => typeof source === 'string');

const preparePair = (
  pair: TaskPair,
  index: number,
  context: TaskContext,
  { metric, bos }: { metric: TaskMetric; bos: boolean | 'auto' },
): PreparedPair => {
  const { tokenizer } = context;
  const clean = preparePrompt(pair.clean, tokenizer, bos);
  const corrupt = preparePrompt(pair.corrupt, tokenizer, bos);
  const spans = new Map(
    Object.entries(pair.spans ?? {}).map(([name, span]) => [
      name,
      shifted(resolveSpan(span, clean, tokenizer), clean.shift),
    ]),
  );
  const answers = answerSources(pair).map((answer) => ({
    at: answer.at,
    position: answerPosition(answer.at, clean, spans),
    correct: metric.correct === 'none' ? null : options(answer.correct, tokenizer),
    incorrect: metric.incorrect === 'none' ? null : options(answer.incorrect, tokenizer),
    target: metric.target === 'none' ? null : (answer.target ?? null),
  }));
  return { index, source: pair, clean, corrupt, answers, spans };
};

/** `auto` leaves token ids as they are; `true` puts BOS before ids that do not begin with it. */
const preparePrompt = (source: PromptSource, tokenizer: Tokenizer | null, bos: boolean | 'auto'): PreparedPrompt => {
  const isText = typeof source === 'string';
  const ids = isText ? encoded(source, tokenizer) : source;
  const bosId = tokenizer?.bosId ?? null;
  const wanted = bos === 'auto' ? isText && tokenizer?.prependsBos === true : bos && (isText || ids[0] !== bosId);
  return wanted && bosId !== null
    ? { source, ids, tokens: [bosId, ...ids], shift: 1 }
    : { source, ids, tokens: ids, shift: 0 };
};

const encoded = (text: string, tokenizer: Tokenizer | null): number[] =>
  text === '' || tokenizer === null ? [] : tokenizer.encode(text);

const answerSources = (pair: TaskPair) =>
  pair.answers ?? [{ at: null, correct: pair.correct, incorrect: pair.incorrect, target: pair.target }];

/** `[answer, weight]` of each member of an answer set as written. */
const members = (answers: AnswersSource): [source: string | number, weight: number][] =>
  (Array.isArray(answers) ? answers : [answers]).map((one) =>
    typeof one === 'object' ? [one.answer, one.weight] : [one, 1],
  );

const options = (answers: AnswersSource | undefined, tokenizer: Tokenizer | null): PreparedOption[] | null =>
  answers === undefined
    ? null
    : members(answers).map(([source, weight]) => ({
        source,
        ids: typeof source === 'number' || tokenizer === null ? [Number(source)] : answerIds(source, tokenizer),
        weight,
      }));

const shifted = (span: ResolvedSpan, shift: number): ResolvedSpan =>
  'range' in span
    ? { range: [span.range[0] + shift, span.range[1] + shift] as Range }
    : { ...span, ...(span.position === undefined ? {} : { position: span.position + shift }) };

const answerPosition = (
  at: number | string | null,
  clean: PreparedPrompt,
  spans: ReadonlyMap<string, ResolvedSpan>,
): number | null => {
  if (at === null) return clean.tokens.length - 1;
  if (typeof at === 'number') return at < 0 ? clean.tokens.length + at : at + clean.shift;
  const span = spans.get(at);
  return span !== undefined && 'range' in span ? span.range[1] - 1 : null;
};
