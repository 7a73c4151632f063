/**
 * The record of causal scrubbing, `scrubbing.json`.
 *
 *     recovered = (scrubbed − random) / (clean − random)        of means over prompts: 1 all, 0 nothing of what the model does
 */
import { Type, type Static } from '@sinclair/typebox';
import {
  count,
  estimate,
  nullable,
  object,
  origin,
  published,
  sha256,
  sidecar,
  text,
  type DeepReadonly,
} from './fragments.js';
import { pairs } from './pairs.js';

const share = (description: string) =>
  Type.Union(
    [
      object({
        value: Type.Number(),
        low: nullable(Type.Number({ description: 'lower end of the 95 % bootstrap interval over prompts' })),
        high: nullable(Type.Number({ description: 'upper end' })),
      }),
      Type.Null(),
    ],
    { description },
  );
const recovered = share('null where clean and random prompts have the same mean metric');

const read = object({
  by: text('q, k, v of a head; x of an MLP, the logits or a head’s reader'),
  nodes: Type.Array(Type.String()),
});

const node = object({
  name: Type.String(),
  at: text('address in the model'),
  feature: Type.Union([Type.Array(Type.String()), Type.Null()], {
    description: 'what of the prompt it is said to depend on; null: nothing is said',
  }),
  reads: Type.Union([Type.Array(read), Type.Null()], {
    description: 'what is said to matter to it; null: nothing is said',
  }),
  claim: Type.Union([Type.String(), Type.Null()], { description: 'the same in words' }),
});

const claim = object(
  {
    node: Type.String(),
    kind: Type.Union([Type.Literal('feature'), Type.Literal('inputs')], {
      description:
        'feature: the node’s value comes from a prompt that agrees in its feature; inputs: what it does not read comes from random prompts',
    }),
    metric: estimate('metric of the prompts'),
    recovered,
    tested: count('prompts for which another one can stand in'),
  },
  'one claim of one node scrubbed alone, everything else as in the prompt itself',
);

const schema = object({
  ...origin,
  pairs,
  kind: Type.Literal('causal-scrubbing'),
  task: object({
    name: Type.String(),
    sha256: sha256('the task file as read'),
    metric: Type.String(),
    pairs: count('pairs of the task; their clean prompts are the data points'),
    leftOut: count('prompts of a length or layout that no other has'),
  }),
  hypothesis: object({
    name: Type.String(),
    title: Type.String(),
    sources: Type.Array(Type.String()),
    sha256: sha256('the hypothesis file'),
    nodes: Type.Array(node, { description: 'each before those that it reads' }),
  }),
  settings: object({
    draws: Type.Integer({ minimum: 1, description: 'how often every prompt was scrubbed' }),
    seed: Type.Integer(),
    unimportant: Type.Union([Type.Literal('shared'), Type.Literal('separate')], {
      description: 'inputs of a node that do not matter: all from one random prompt, or each from its own',
    }),
  }),
  pools: Type.Array(object({ length: count('tokens of a prompt'), prompts: count('how many') }), {
    description: 'prompts of one length and layout, which may stand in for each other',
  }),
  cost: object({
    heads: count('heads computed for a prompt, in one draw'),
    mlps: count('MLPs'),
    forwardPasses: Type.Number({ description: 'over one prompt, of all draws and single claims together' }),
    bytes: count('kept of the largest pool of prompts, beside the weights; estimated'),
  }),
  clean: estimate('metric of the clean prompts'),
  random: estimate('expected metric of a prompt’s answers on a random prompt of its pool'),
  scrubbed: estimate('metric of the scrubbed prompts'),
  recovered,
  claims: Type.Array(claim),
  perExample: Type.Array(sidecar),
});

/** The published JSON Schema (schemas/scrubbing.schema.json). */
export const SCRUBBING_SCHEMA = published('Thevenin record of causal scrubbing', schema);

export type ScrubbingRecord = DeepReadonly<Static<typeof schema>>;
export type ScrubbingClaim = DeepReadonly<Static<typeof claim>>;
export type ScrubbingNode = DeepReadonly<Static<typeof node>>;
export type RecoveredShare = DeepReadonly<Static<typeof recovered>>;

/** What a claim says, in words. */
export function claimInWords({ feature, reads }: ScrubbingNode, kind: ScrubbingClaim['kind']): string {
  if (kind === 'feature')
    return feature!.length === 0 ? 'depends on nothing of the prompt' : `depends on ${feature!.join(' and ')} alone`;
  const named = reads!
    .filter(({ nodes }) => nodes.length > 0)
    .map(({ by, nodes }) => `${by === 'x' ? '' : `${by}: `}${nodes.join(', ')}`);
  return named.length === 0 ? 'nothing matters to it' : `nothing matters to it but ${named.join('; ')}`;
}
