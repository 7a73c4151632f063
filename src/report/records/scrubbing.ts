/**
 * The record of causal scrubbing, `scrubbing.json`.
 *
 *     recovered = (scrubbed − random) / (clean − random)        of means over prompts: 1 all, 0 nothing of what the model does
 */
import { Type, type Static } from '@sinclair/typebox';
import { Ajv } from 'ajv';

const closed = { additionalProperties: false } as const;
const count = (description: string) => Type.Integer({ minimum: 0, description });
const nullable = (description: string) => Type.Union([Type.Number(), Type.Null()], { description });

const mean = (description?: string) =>
  Type.Object(
    {
      mean: Type.Number(),
      low: nullable('lower end of the 95 % interval over prompts; null where there is none (one prompt)'),
      high: nullable('upper end'),
      count: count('prompts'),
    },
    { ...closed, ...(description === undefined ? {} : { description }) },
  );
const Mean = mean();
const Share = Type.Union(
  [
    Type.Object(
      {
        value: Type.Number(),
        low: nullable('lower end of the 95 % bootstrap interval over prompts'),
        high: nullable('upper end'),
      },
      closed,
    ),
    Type.Null(),
  ],
  { description: 'null where clean and random prompts have the same mean metric' },
);
const Sidecar = Type.Object(
  {
    file: Type.String(),
    sha256: Type.String(),
    dtype: Type.String(),
    shape: Type.Array(count('length of an axis')),
    axes: Type.Array(Type.String()),
    what: Type.String(),
  },
  closed,
);

const Node = Type.Object(
  {
    name: Type.String(),
    at: Type.String({ description: 'address in the model' }),
    feature: Type.Union([Type.Array(Type.String()), Type.Null()], {
      description: 'what of the prompt it is said to depend on; null: nothing is said',
    }),
    reads: Type.Union(
      [
        Type.Array(
          Type.Object(
            {
              by: Type.String({ description: 'q, k, v of a head; x of an MLP, the logits or a head’s reader' }),
              nodes: Type.Array(Type.String()),
            },
            closed,
          ),
        ),
        Type.Null(),
      ],
      { description: 'what is said to matter to it; null: nothing is said' },
    ),
    claim: Type.Union([Type.String(), Type.Null()], { description: 'the same in words' }),
  },
  closed,
);

const Claim = Type.Object(
  {
    node: Type.String(),
    kind: Type.Union([Type.Literal('feature'), Type.Literal('inputs')], {
      description:
        'feature: the node’s value comes from a prompt that agrees in its feature; inputs: what it does not read comes from random prompts',
    }),
    metric: Mean,
    recovered: Share,
    tested: count('prompts for which another one can stand in'),
  },
  { ...closed, description: 'one claim of one node scrubbed alone, everything else as in the prompt itself' },
);

const schema = Type.Object(
  {
    schemaVersion: Type.Literal(1),
    kind: Type.Literal('causal-scrubbing'),
    versions: Type.Object({ thevenin: Type.String(), node: Type.String(), runtime: Type.String() }, closed),
    model: Type.Object({ name: Type.String(), weightsSha256: Type.String() }, closed),
    task: Type.Object(
      {
        name: Type.String(),
        sha256: Type.String(),
        metric: Type.String(),
        pairs: count('pairs of the task; their clean prompts are the data points'),
        leftOut: count('prompts of a length or layout that no other has'),
      },
      closed,
    ),
    hypothesis: Type.Object(
      {
        name: Type.String(),
        title: Type.String(),
        sources: Type.Array(Type.String()),
        sha256: Type.String({ description: 'of the hypothesis file' }),
        nodes: Type.Array(Node, { description: 'each before those that it reads' }),
      },
      closed,
    ),
    settings: Type.Object(
      {
        draws: Type.Integer({ minimum: 1, description: 'how often every prompt was scrubbed' }),
        seed: Type.Integer(),
        unimportant: Type.Union([Type.Literal('shared'), Type.Literal('separate')], {
          description: 'inputs of a node that do not matter: all from one random prompt, or each from its own',
        }),
      },
      closed,
    ),
    pools: Type.Array(Type.Object({ length: count('tokens of a prompt'), prompts: count('how many') }, closed), {
      description: 'prompts of one length and layout, which may stand in for each other',
    }),
    cost: Type.Object(
      {
        heads: count('heads computed for a prompt, in one draw'),
        mlps: count('MLPs'),
        forwardPasses: Type.Number({ description: 'over one prompt, of all draws and single claims together' }),
        bytes: count('kept of the largest pool of prompts, beside the weights; estimated'),
      },
      closed,
    ),
    clean: Mean,
    random: mean('expected metric of a prompt’s answers on a random prompt of its pool'),
    scrubbed: Mean,
    recovered: Share,
    claims: Type.Array(Claim),
    perExample: Type.Array(Sidecar),
    timings: Type.Object({ startedAt: Type.String(), totalSeconds: Type.Number() }, closed),
  },
  closed,
);

/** The published JSON Schema (schemas/scrubbing.schema.json). */
export const SCRUBBING_SCHEMA: Readonly<Record<string, unknown>> = {
  $schema: 'http://json-schema.org/draft-07/schema#',
  title: 'Thevenin record of causal scrubbing',
  ...schema,
};

export type ScrubbingRecord = Static<typeof schema>;
export type ScrubbingClaim = Static<typeof Claim>;
export type ScrubbingNode = Static<typeof Node>;
export type RecoveredShare = Static<typeof Share>;

/** What about a value does not fit the record's schema, the first place alone; null where it fits. */
export function scrubbingProblem(value: unknown): string | null {
  const validate = new Ajv().compile(SCRUBBING_SCHEMA);
  if (validate(value)) return null;
  const [error] = validate.errors!;
  return `${error!.instancePath} ${error!.message}`;
}

/** What a claim says, in words. */
export function claimInWords({ feature, reads }: ScrubbingNode, kind: ScrubbingClaim['kind']): string {
  if (kind === 'feature')
    return feature!.length === 0 ? 'depends on nothing of the prompt' : `depends on ${feature!.join(' and ')} alone`;
  const named = reads!
    .filter(({ nodes }) => nodes.length > 0)
    .map(({ by, nodes }) => `${by === 'x' ? '' : `${by}: `}${nodes.join(', ')}`);
  return named.length === 0 ? 'nothing matters to it' : `nothing matters to it but ${named.join('; ')}`;
}
