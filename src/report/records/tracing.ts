/** The record of causal tracing, `tracing.json`: its grids are those of patching, layers by kinds of tokens; `effects` has the intervals. */
import { Type } from '@sinclair/typebox';
import type { Static } from '@sinclair/typebox';
import { patchingFields } from './patching.js';
import { count, nullable, object, published, text, type DeepReadonly } from './fragments.js';

const effect = object(
  {
    grid: Type.String(),
    layer: count('from 0'),
    tokens: text('kind of tokens'),
    mean: Type.Number(),
    low: nullable(Type.Number({ description: 'lower end of the 95 % interval; null for a single value' })),
    high: nullable(Type.Number()),
    count: count('values averaged: one per token of the kind, over all facts'),
  },
  'an averaged indirect effect',
);

const schema = object({
  ...patchingFields,
  kind: Type.Literal('causal-tracing'),
  noise: object({
    scale: Type.Number({ description: 'factor times deviation' }),
    factor: Type.Number(),
    deviation: Type.Number({ description: 'of all elements of the embeddings of all subjects' }),
    samples: count('draws of the noise'),
    seed: Type.Integer(),
    window: count('layers of attention or MLP outputs restored together'),
  }),
  facts: object({
    asked: count('in the file'),
    tried: Type.Optional(count('of them, in order, until as many were known as were to be traced; absent: all')),
    known: count('whose attribute is the first choice of the model'),
    withoutSubject: count('whose subject is no sequence of whole tokens'),
    traced: count('of those known'),
  }),
  effects: Type.Array(effect),
});

/** The published JSON Schema (schemas/tracing.schema.json). */
export const TRACING_SCHEMA = published('Thevenin record of causal tracing', schema);

export type TracingRecord = DeepReadonly<Static<typeof schema>>;
