/**
 * The record of attribution to tokens, `tokens.json`. A positive value means that the token or span helps the task: the metric is
 * higher with it than with the baseline in its place.
 */
import { Type } from '@sinclair/typebox';
import type { Static } from '@sinclair/typebox';
import {
  count,
  estimate,
  method,
  nullable,
  object,
  origin,
  published,
  sidecar,
  text,
  type DeepReadonly,
} from './fragments.js';

const row = Type.Composite([estimate(''), object({ name: Type.String() })], {
  additionalProperties: false,
  description: 'what a span or position contributes, over the pairs',
});

const token = object({
  id: count('in the vocabulary'),
  text: nullable(text('null for models without a tokenizer')),
  instead: nullable(text("the corrupt prompt's token where it differs and is the baseline")),
});

const unit = object({
  name: Type.String(),
  positions: Type.Array(count('from 0')),
  value: Type.Number(),
  rest: Type.Boolean({ description: 'the tokens that no span names, together' }),
});

const prompt = object({
  index: count('of the pair in the task file'),
  tokens: Type.Array(token),
  units: Type.Array(unit, { description: 'every token, or every span and the tokens in none' }),
  clean: Type.Number({ description: 'metric of the clean prompt' }),
  baseline: Type.Number({ description: 'metric with the baseline in place of every token' }),
});

const schema = object({
  ...origin,
  kind: Type.Literal('token-attribution'),
  method,
  baseline: Type.Union([Type.Literal('corrupt'), Type.Literal('zero')], {
    description: 'what takes the place of a token',
  }),
  settings: object(
    { steps: Type.Integer(), rule: Type.String(), samples: Type.Integer(), seed: Type.Integer() },
    'each is read by some methods only',
  ),
  clean: estimate('metric of the clean prompts'),
  atBaseline: estimate('metric with the baseline in place of every token'),
  gap: nullable(
    Type.Number({
      description:
        'largest |sum of values - (clean - baseline)| of any pair; null for methods whose values need not add up',
    }),
  ),
  by: Type.Union([Type.Literal('span'), Type.Literal('position')], {
    description: 'what the rows are; positions stand in a table only where all prompts are equally long',
  }),
  rows: Type.Array(row),
  prompts: Type.Array(prompt),
  perPair: Type.Composite([sidecar], {
    additionalProperties: false,
    description: 'the value of every unit of every pair [pair, unit]; NaN where a prompt has no such unit',
  }),
});

/** The published JSON Schema (schemas/tokens.schema.json). */
export const TOKENS_SCHEMA = published('Thevenin record of attribution to tokens', schema);

export type TokensRecord = DeepReadonly<Static<typeof schema>>;
export type TokenRow = DeepReadonly<Static<typeof row>>;
export type TokenRecord = DeepReadonly<Static<typeof token>>;
export type UnitRecord = DeepReadonly<Static<typeof unit>>;
export type PromptRecord = DeepReadonly<Static<typeof prompt>>;

export const BASELINE_MEANING: { readonly [Key in TokensRecord['baseline']]: string } = {
  corrupt: 'the corrupt prompt’s tokens',
  zero: 'embeddings of zero',
};
