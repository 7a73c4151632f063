/** The hypothesis file (Chan et al. call it a correspondence): its JSON Schema, the types that follow from it, and reading it. */
import { Type, type Static } from '@sinclair/typebox';
import { Ajv } from 'ajv';
import { refuse } from '../../errors.js';

const closed = { additionalProperties: false } as const;
const Where = Type.String({
  minLength: 1,
  description: 'a span of the task, "end" (the last token), a position from 0, or a range such as "S1..S2"',
});

const Feature = Type.Union(
  [
    Type.Literal('prompt', { description: 'all of its tokens' }),
    Type.Object({ tokens: Where }, { ...closed, description: 'the tokens at a span' }),
    Type.Object(
      { equal: Type.Tuple([Where, Where]) },
      { ...closed, description: 'whether the same tokens stand at two spans' },
    ),
    Type.Object(
      {
        label: Type.Union([Type.Literal('group'), Type.Literal('correct'), Type.Literal('incorrect')], {
          description: 'a field of the pair in the task file',
        }),
      },
      { ...closed, description: 'the pair’s group, or its right or wrong answers' },
    ),
  ],
  { description: '"prompt", {"tokens": span}, {"equal": [span, span]} or {"label": group | correct | incorrect}' },
);

/** More than any hypothesis has; nodes are laid out by functions that call themselves along chains of them. */
const MOST_NODES = 1000;

const Name = '^.{1,60}$';
const Children = Type.Array(Type.String({ pattern: Name }), {
  description: 'names of nodes: what is read there that matters; everything else is said not to matter',
});

const Node = Type.Object(
  {
    at: Type.String({
      description:
        'where in the model: logits, input@S2, a5.h1, a5.h1@end, m3, a*.* (each of them), or a reader of the head that reads the node: a5.h1<k>',
    }),
    feature: Type.Optional(
      Type.Array(Feature, {
        description:
          'all that it depends on of the prompt: its value may come from any prompt that agrees in all of these; []: from any prompt; absent: no such claim is made, the prompt stays that of the node above',
      }),
    ),
    reads: Type.Optional(
      Type.Union(
        [
          Children,
          Type.Object({ q: Type.Optional(Children), k: Type.Optional(Children), v: Type.Optional(Children) }, closed),
        ],
        {
          description:
            'which nodes it reads: a list (logits, MLPs, a head’s reader), or for a head {"q", "k", "v"}, where a reader that is left out is said not to matter; absent: nothing is said of how it is computed',
        },
      ),
    ),
    claim: Type.Optional(Type.String({ description: 'the same in words, for the reader of the report' })),
  },
  closed,
);

const HypothesisSchema = Type.Object(
  {
    $schema: Type.Optional(Type.String()),
    name: Type.String({ minLength: 1 }),
    title: Type.Optional(Type.String({ description: 'the hypothesis in a sentence' })),
    sources: Type.Optional(Type.Array(Type.String(), { description: 'where it is from' })),
    nodes: Type.Record(Type.String({ pattern: Name }), Node, {
      ...closed,
      maxProperties: MOST_NODES,
      description: 'name -> node; one of them is at logits, the others are reached from it',
    }),
  },
  {
    ...closed,
    title: 'Thevenin hypothesis',
    description:
      'What a model’s behaviour on a task is claimed to depend on, node by node, to be tested by causal scrubbing.',
  },
);

export type HypothesisFile = Static<typeof HypothesisSchema>;
export type FeatureSource = Static<typeof Feature>;
export type NodeSource = Static<typeof Node>;

/** The text of schemas/hypothesis.schema.json. */
export const emitHypothesisSchema = (): string =>
  JSON.stringify({ $schema: 'http://json-schema.org/draft-07/schema#', ...HypothesisSchema }, null, 2) + '\n';

/**
 * Checks that a JSON value is a hypothesis file.
 * @throws interventions/hypothesis naming the file, the place and what was expected there
 */
export const parseHypothesis = (value: unknown, path: string): HypothesisFile => {
  const validate = new Ajv({ verbose: true, strict: false, allErrors: true }).compile<HypothesisFile>(HypothesisSchema);
  if (validate(value)) return value;
  const places = validate.errors!.map(({ instancePath }) => instancePath.split('/').length);
  const error = validate.errors![places.indexOf(Math.max(...places))]!;
  const { additionalProperty } = error.params as { additionalProperty?: string };
  const { description } = error.parentSchema as { description?: string };
  return refuse(
    'interventions/hypothesis',
    `${path}: ${error.instancePath || '/'}: ${error.message}${additionalProperty === undefined ? '' : ` ("${additionalProperty}")`}${description === undefined ? '' : `; expected ${description}`}`,
  );
};
