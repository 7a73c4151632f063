/** The task file: its JSON Schema, the types that follow from it, and reading it at the edge. */
import { Type, type Static } from '@sinclair/typebox';
import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import { refuse } from '../errors.js';
import { choicesFor } from '../nearest.js';
import { TASK_METRICS } from './metrics.js';
import type { MetricKey } from './types.js';

/**
 * As many as a generator makes. They are all in memory, tokenised, some 9 KB each; means over more of them would not tell more
 * (their standard error falls with the root of the number), and a file that wants more can hold its pairs itself.
 */
export const MOST_PAIRS = 10_000;

const closed = { additionalProperties: false } as const;
const TokenId = Type.Integer({ minimum: 0, description: 'a token id' });
const Seed = Type.Integer({
  minimum: Number.MIN_SAFE_INTEGER,
  maximum: Number.MAX_SAFE_INTEGER,
  description: `a whole number of at most ${Number.MAX_SAFE_INTEGER}`,
});
const Indices = Type.Array(Type.Integer({ minimum: 0, description: 'the index of a pair' }), {
  description: 'a list of pair indices',
});

const Prompt = Type.Union([Type.String(), Type.Array(TokenId)], {
  description: 'text or an array of token ids',
});
const TextOrId = Type.Union([Type.String(), TokenId], { description: 'text or one token id' });
const OneAnswer = Type.Union(
  [
    Type.String(),
    TokenId,
    Type.Object(
      { answer: TextOrId, weight: Type.Number({ exclusiveMinimum: 0, description: 'a positive number' }) },
      closed,
    ),
  ],
  { description: 'text, one token id, or {"answer", "weight"}' },
);
const Answers = Type.Union([OneAnswer, Type.Array(OneAnswer)], {
  description:
    'an answer (text with its leading space, or one token id, or {"answer", "weight"}) or a list of them; a list is a set of alternatives, not a sequence of tokens',
});
const Target = Type.Number({ description: 'a number: what the output should be' });

const Range = Type.Tuple([Type.Integer({ minimum: 0 }), Type.Integer({ minimum: 1 })], {
  description: '[first, afterLast] token positions, from 0; a BOS that Thevenin prepends is not counted',
});
const Span = Type.Union(
  [
    Range,
    Type.String({ minLength: 1 }),
    Type.Object(
      {
        text: Type.String({ minLength: 1, description: 'what stands at the span' }),
        at: Type.Optional(Range),
        occurrence: Type.Optional(Type.Integer({ minimum: 1, description: 'which occurrence of the text, from 1' })),
      },
      closed,
    ),
  ],
  {
    description:
      '[first, afterLast] token positions, or text that occurs in the clean prompt, or {"text", "at" or "occurrence"}',
  },
);
const Spans = Type.Record(Type.String({ pattern: '^[A-Za-z_][A-Za-z0-9_+]*$' }), Span, {
  ...closed,
  description: 'named spans of positions, e.g. {"S2": [9, 10], "IO": " Mary"}; a name is letters, digits, _ and +',
});

const AnswerAt = Type.Object(
  {
    at: Type.Union([Type.Integer(), Type.String()], {
      description:
        'the position whose next token is asked for: a token position (negative: from the end), or the name of a span (its last token)',
    }),
    correct: Type.Optional(Answers),
    incorrect: Type.Optional(Answers),
    target: Type.Optional(Target),
  },
  closed,
);

const Pair = Type.Object(
  {
    clean: Prompt,
    corrupt: Prompt,
    correct: Type.Optional(Answers),
    incorrect: Type.Optional(Answers),
    target: Type.Optional(Target),
    answers: Type.Optional(
      Type.Array(AnswerAt, {
        minItems: 1,
        description: 'answers at several positions, instead of correct, incorrect and target at the last one',
      }),
    ),
    spans: Type.Optional(Spans),
    group: Type.Optional(
      Type.String({
        description: 'the template, or other group, that the pair is made from: means are taken within it',
      }),
    ),
  },
  closed,
);

const Generator = Type.Object(
  {
    name: Type.String({ description: 'the name of a generator' }),
    seed: Seed,
    count: Type.Integer({ minimum: 1, maximum: MOST_PAIRS, description: `how many pairs, from 1 to ${MOST_PAIRS}` }),
    options: Type.Optional(Type.Record(Type.String(), Type.Unknown(), { description: "the generator's own options" })),
  },
  closed,
);

const Dropped = Type.Object(
  {
    reason: Type.String(),
    count: Type.Integer({ minimum: 0 }),
    items: Type.Optional(Type.Array(Type.String())),
  },
  closed,
);
const Provenance = Type.Union(
  [
    Type.String(),
    Type.Object(
      {
        source: Type.String({ description: 'where the material comes from' }),
        licence: Type.Optional(Type.String()),
        note: Type.Optional(Type.String()),
        dropped: Type.Optional(Type.Array(Dropped, { description: 'what was left out, and why' })),
      },
      closed,
    ),
  ],
  { description: 'text, or {"source", "licence", "note", "dropped"}' },
);

const METRIC_KEYS = TASK_METRICS.map((metric) => metric.key);

const TaskSchema = Type.Object(
  {
    $schema: Type.Optional(Type.String()),
    name: Type.String({ minLength: 1, description: 'a name' }),
    metric: Type.Unsafe<MetricKey>({
      type: 'string',
      enum: METRIC_KEYS,
      description: `one of ${METRIC_KEYS.join(', ')}`,
    }),
    pairs: Type.Optional(Type.Array(Pair, { minItems: 1, description: 'a list of at least one pair' })),
    generator: Type.Optional(Generator),
    bos: Type.Optional(
      Type.Union([Type.Boolean(), Type.Literal('auto')], {
        description: 'true, false or "auto" (what the tokenizer\'s own template does; the default)',
      }),
    ),
    splits: Type.Optional(
      Type.Object(
        { discover: Indices, choose: Indices, report: Indices },
        { ...closed, description: 'which pairs are used for what' },
      ),
    ),
    provenance: Type.Optional(Provenance),
    model: Type.Optional(
      Type.Object(
        {
          name: Type.Optional(Type.String({ description: 'the model that the task was made for' })),
          tokenizer: Type.Optional(
            Type.String({
              pattern: '^[0-9a-f]{64}$',
              description: 'SHA-256 (hex) of the tokenizer that the ids belong to',
            }),
          ),
        },
        closed,
      ),
    ),
  },
  {
    ...closed,
    title: 'Thevenin task',
    description:
      'Pairs of a clean and a corrupt prompt with their answers, or a generator that makes them for the model at hand.',
    anyOf: [{ required: ['pairs'] }, { required: ['generator'] }],
  },
);

/** A task file as it stands on disk: pairs, or a generator that makes them, or both (then the pairs count). */
export type TaskSource = Static<typeof TaskSchema>;
export type TaskPair = Static<typeof Pair>;
/** A task whose pairs are there. */
export type TaskFile = TaskSource & { readonly pairs: readonly TaskPair[] };
export type PromptSource = Static<typeof Prompt>;
export type AnswersSource = Static<typeof Answers>;
export type SpanSource = Static<typeof Span>;
export type ProvenanceSource = Static<typeof Provenance>;
export type DroppedSource = Static<typeof Dropped>;

/** The text of schemas/task.schema.json. */
export const emitTaskSchema = (): string =>
  JSON.stringify({ $schema: 'http://json-schema.org/draft-07/schema#', ...TaskSchema }, null, 2) + '\n';

let compiled: ValidateFunction<TaskSource> | undefined;
const validator = (): ValidateFunction<TaskSource> =>
  (compiled ??= new Ajv({ verbose: true, strict: false, allErrors: true }).compile<TaskSource>(TaskSchema));

/**
 * Checks that a JSON value is a task file.
 * @throws task/schema naming the file, the JSON pointer and what was expected there
 */
export const parseTask = (value: unknown, path: string): TaskSource => {
  const validate = validator();
  if (validate(value)) return value;
  const error = mostTelling(validate.errors ?? []);
  return refuse('task/schema', `${path}: ${error.instancePath || '/'}: ${explain(error)}`);
};

/**
 * Of the errors at the first faulty place (a pair, or a field of the task), the deepest, since a union reports its branches
 * and itself; there, what names a field; then what the union says.
 */
const mostTelling = (errors: readonly ErrorObject[]): ErrorObject => {
  const place = ({ instancePath }: ErrorObject): string => instancePath.split('/').slice(0, 3).join('/');
  const here = errors.filter((error) => place(error) === place(errors[0] as ErrorObject));
  const keywords = ['additionalProperties', 'required', 'anyOf'];
  const rank = (error: ErrorObject): number => {
    const keyword = keywords.indexOf(error.keyword);
    return 100 * error.instancePath.split('/').length - (keyword < 0 ? keywords.length : keyword);
  };
  return here.sort((a, b) => rank(b) - rank(a))[0] as ErrorObject;
};

const explain = (error: ErrorObject): string => {
  const schema = error.parentSchema as { description?: string; properties?: object };
  const fields = (): string =>
    Object.keys(schema.properties ?? {})
      .filter((name) => name !== '$schema')
      .join(', ');
  const params = error.params as { additionalProperty?: string; missingProperty?: string };
  if (error.keyword === 'anyOf' && error.instancePath === '')
    return 'neither "pairs" nor "generator"; one of them is needed';
  if (params.missingProperty !== undefined) {
    return error.instancePath === '' && ['pairs', 'generator'].includes(params.missingProperty)
      ? 'neither "pairs" nor "generator"; one of them is needed'
      : `"${params.missingProperty}" is missing`;
  }
  if (params.additionalProperty !== undefined) {
    const known = fields();
    return `unknown field "${params.additionalProperty}"; expected ${known === '' ? schema.description : `only ${known}`}`;
  }
  const { data } = error;
  if (error.keyword === 'enum' && typeof data === 'string')
    return `expected one of ${choicesFor(data, error.schema as readonly string[])}, not ${abridged(data)}`;
  return `expected ${schema.description ?? error.message ?? 'something else'}, not ${abridged(error.data)}`;
};

const abridged = (data: unknown): string => {
  const text = JSON.stringify(data) ?? String(data);
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
};
