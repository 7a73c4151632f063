/** The record of a search for the strongest hops, `hops.json`. */
import { Type } from '@sinclair/typebox';
import type { Static } from '@sinclair/typebox';
import { count, direction, nullable, object, origin, published, text, type DeepReadonly } from './fragments.js';
import { pairs } from './pairs.js';

const hop = Type.Recursive(
  (self) =>
    object({
      sender: Type.String(),
      path: Type.String(),
      effect: Type.Number({ description: 'mean over pairs of the metric with the path patched - without' }),
      low: nullable(Type.Number({ description: 'lower end of the 95 % interval; null for one pair' })),
      high: nullable(Type.Number()),
      share: nullable(
        Type.Number({
          description: 'the effect as a share of what the whole prompt changes; null where that is nothing',
        }),
      ),
      upstream: Type.Array(self),
    }),
  { $id: 'hop' },
);

const schema = object({
  ...origin,
  pairs,
  kind: Type.Literal('strongest-hops'),
  asked: object({
    to: text('address of the receivers that paths lead to'),
    depth: count('hops of the longest paths'),
    width: count('senders followed at every stop'),
    mlps: text('kept | recomputed'),
    direction,
  }),
  clean: Type.Number({ description: 'mean metric of the clean prompts' }),
  corrupt: Type.Number({ description: 'mean metric of the corrupt prompts' }),
  hops: Type.Array(hop),
});

/** The published JSON Schema (schemas/hops.schema.json). */
export const HOPS_SCHEMA = published('Thevenin record of the strongest hops', schema);

export type HopsRecord = DeepReadonly<Static<typeof schema>>;
export type HopRecord = DeepReadonly<Static<typeof hop>>;
