/** What a record says of how good a circuit is, and of the model that it is a circuit of. */
import { Type, type Static } from '@sinclair/typebox';
import { count, estimate, nullable, object, text, type DeepReadonly } from './fragments.js';

export const capability = object(
  {
    clean: estimate('metric on the clean prompts'),
    corrupt: estimate('metric on the corrupt prompts'),
    gap: estimate('clean - corrupt, pair by pair'),
    accuracy: Type.Optional(
      nullable(
        estimate(
          'share of pairs in which the correct answers are preferred to the incorrect ones, or where the task names none, the answer is the most likely token; null where there are no answers',
        ),
      ),
    ),
    rank: Type.Optional(
      nullable(
        object(
          { median: Type.Number({ description: 'over pairs' }), worst: Type.Number() },
          'rank of the correct answer among all tokens on the clean prompts, 1 = most likely; null where there is none',
        ),
      ),
    ),
    doesTask: Type.Boolean({
      description:
        'the gap, and of differences the clean metric, lie reliably above 0, and accuracy is not below chance',
    }),
    faults: Type.Optional(
      Type.Array(Type.String(), { description: 'why it does not do the task; empty where it does' }),
    ),
  },
  'whether the model does the task at all; records of earlier versions lack accuracy, rank and faults',
);

const criterion = object({
  key: text('faithfulness | percentile | …'),
  title: Type.String(),
  reference: Type.String(),
  unit: text('what follows the figure; empty for a pure number'),
  counts: Type.Boolean({ description: 'the figure is a number of things' }),
  value: nullable(Type.Number({ description: 'null where it is undefined for these pairs' })),
  low: nullable(Type.Number({ description: 'lower end of the 95 % interval over pairs; null where there is none' })),
  high: nullable(Type.Number()),
  count: count('pairs that it is of; 0: a property of the circuit alone'),
  note: nullable(text('what the figure alone does not say')),
});

export const evaluation = object({
  split: Type.Union([Type.Literal('report'), Type.Literal('all')]),
  clean: estimate('metric of the whole model on clean prompts'),
  corrupt: estimate('metric with every edge cut: of the corrupt prompts, unless cut edges read something else'),
  circuit: estimate('metric of the circuit: edges outside it read the ablated source'),
  faithfulness: nullable(
    Type.Number({ description: '(circuit - corrupt) / (clean - corrupt) of the means; null where clean = corrupt' }),
  ),
  random: object(
    {
      edgeCount: count('edges of each random circuit after pruning: as many as the circuit has'),
      seed: Type.Integer(),
      faithfulness: Type.Array(Type.Number()),
      percentile: nullable(
        Type.Number({
          minimum: 0,
          maximum: 100,
          description: 'random circuits less faithful, ties one half, in percent',
        }),
      ),
    },
    'random connected circuits of the same size',
  ),
  criteria: Type.Optional(
    Type.Array(criterion, {
      description:
        'what each criterion that says something of the task makes of the circuit, in the order of reports; absent from records of versions that had none',
    }),
  ),
});

export type EvaluationRecord = DeepReadonly<Static<typeof evaluation>>;
export type CriterionRecord = DeepReadonly<Static<typeof criterion>>;

export type CapabilityRecord = DeepReadonly<Static<typeof capability>>;

export const minimal = object(
  {
    target: text('what had to be kept, e.g. |1 - faithfulness| <= 0.1'),
    within: Type.Number({ description: 'the distance that had to be kept' }),
    met: Type.Boolean({ description: 'false: the circuit was further away to begin with, and nothing was removed' }),
    distance: nullable(Type.Number({ description: 'of what is left, on the pairs that it was eliminated on' })),
    from: object(
      { edgeCount: count('its edges'), faithfulness: nullable(Type.Number({ description: 'on the report split' })) },
      'the circuit that elimination began with',
    ),
    edgeCount: count('edges left'),
    edges: Type.Array(Type.String()),
    faithfulness: nullable(Type.Number({ description: 'of what is left, on the report split' })),
    evaluations: count('circuits that were measured on the way'),
  },
  'backward elimination with exact effects; where its target was met, `circuit` is what is left',
);
