/**
 * The record of steering, `steering.json`. A dose is a coefficient at a place; estimates are means over pairs, those of the metric
 * of every pair lie in the npy file named; intervals are bootstrap intervals over pairs.
 */
import { Type } from '@sinclair/typebox';
import type { Static } from '@sinclair/typebox';
import { number } from '../format.js';
import { count, estimate, nullable, object, origin, published, sidecar, text, type DeepReadonly } from './fragments.js';
import { pairs } from './pairs.js';

const side = object({
  prompts: count('prompts on this side of the contrast'),
  first: Type.Array(Type.String(), { description: 'the first of them, as text or token ids' }),
});

const shift = object({
  id: count('in the vocabulary'),
  text: nullable(Type.String()),
  before: Type.Number({ description: 'log-probability as the next token, unsteered, mean over pairs' }),
  after: Type.Number({ description: 'the same, steered' }),
});

const answers = {
  correct: nullable(estimate('log of the probability of the correct answers; null where pairs name none')),
  incorrect: nullable(estimate('the same of the incorrect answers')),
};

const dose = object({
  place: text('where the vector is added: one of the places'),
  coefficient: Type.Number(),
  metric: estimate('metric of the steered prompts'),
  change: estimate('steered - unsteered, pair by pair'),
  divergence: estimate('KL(steered || unsteered) of the next token at the answers, in nats'),
  ...answers,
  rises: Type.Array(shift, { description: 'tokens whose mean log-probability rises most' }),
  falls: Type.Array(shift, { description: 'tokens whose mean log-probability falls most' }),
});

const written = object({
  coefficient: Type.Number({ description: '0: unsteered, from the same random numbers' }),
  ids: Type.Array(count('token id')),
  text: nullable(Type.String()),
  divergence: Type.Number({
    description: 'KL(steered || unsteered) of the next token in nats at temperature 1, mean over the tokens written',
  }),
});

const continuation = object({
  pair: nullable(count('index of the pair in the task file; null for a prompt of its own')),
  sample: count('of this prompt'),
  prompt: text('as text or token ids'),
  written: Type.Array(written, { description: 'unsteered first' }),
});

const sampling = object({
  tokens: count('written at a time'),
  temperature: Type.Number({ exclusiveMinimum: 0 }),
  topK: nullable(Type.Integer({ minimum: 1 })),
  topP: nullable(Type.Number({ exclusiveMinimum: 0, maximum: 1 })),
  samples: count('continuations of each prompt'),
  seed: Type.Integer(),
});

const schema = object({
  ...origin,
  pairs,
  kind: Type.Literal('steering'),
  vector: object({
    site: text('address of the site that it is read from and added to'),
    source: Type.Union([Type.Literal('prompt-pair'), Type.Literal('prompt-sets'), Type.Literal('task')], {
      description: "task: the task's own clean and corrupt prompts, those of the discover split",
    }),
    plus: side,
    minus: side,
    read: text('each: a row for every token; mean: over all tokens; else a span'),
    rows: count('more than one: row i is added at position i'),
    norm: Type.Number({ description: 'Euclidean length, mean over rows' }),
    agreement: nullable(
      Type.Number({
        minimum: 0,
        description:
          'of the pairs of a task: |mean difference| / mean |difference|; 1: all point the same way, near 0: they cancel',
      }),
    ),
  }),
  steered: object({
    prompts: Type.Union([Type.Literal('clean'), Type.Literal('corrupt')]),
    split: Type.Union([Type.Literal('report'), Type.Literal('all')]),
    at: text('front | all | after | each | a span'),
    places: Type.Array(Type.String()),
  }),
  coefficients: Type.Array(Type.Number()),
  clean: estimate('metric of the clean prompts'),
  corrupt: estimate('metric of the corrupt prompts'),
  unsteered: object({ metric: estimate('metric of the prompts that are steered, unsteered'), ...answers }),
  doses: Type.Array(dose, { description: 'places slowest' }),
  sampling: nullable(sampling),
  continuations: Type.Array(continuation),
  divergences: Type.Array(
    object({ coefficient: Type.Number(), divergence: estimate('mean over continuations; count is theirs') }),
  ),
  perExample: Type.Composite([sidecar], {
    additionalProperties: false,
    description: 'metric of every pair, [place, coefficient, example]',
  }),
  values: Type.Composite([sidecar], { additionalProperties: false, description: 'the vector, [row, d]' }),
});

/** The published JSON Schema (schemas/steering.schema.json). */
export const STEERING_SCHEMA = published('Thevenin record of steering', schema);

export type SteeringRecord = DeepReadonly<Static<typeof schema>>;
export type DoseRecord = DeepReadonly<Static<typeof dose>>;
export type ShiftRecord = DeepReadonly<Static<typeof shift>>;
export type ContinuationRecord = DeepReadonly<Static<typeof continuation>>;

/** How long a vector is, and how far the pairs that it comes from agree. */
export const lengthOf = ({ norm, agreement }: SteeringRecord['vector']): string =>
  `length ${number(norm)}` +
  (agreement === null ? '' : `; its pairs agree to ${number(agreement)} (1: all point one way, 0: they cancel)`);
