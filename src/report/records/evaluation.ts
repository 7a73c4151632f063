/** The record of a circuit's evaluation, `evaluation.json`. */
import { Type, type Static } from '@sinclair/typebox';
import { SOURCE_KINDS } from '../../engine/sources/kinds.js';
import { count, object, origin, published, text, type DeepReadonly } from './fragments.js';
import { capability, evaluation } from './judgement.js';

const { task, ...head } = origin;

const schema = object({
  ...head,
  kind: Type.Literal('evaluation'),
  task: Type.Composite(
    [
      task,
      Type.Object({
        splits: object({
          report: count('pairs that the circuit was evaluated on'),
          whole: Type.Boolean({ description: 'every pair of the task: none was held out' }),
          seed: Type.Integer(),
        }),
      }),
    ],
    { additionalProperties: false },
  ),
  circuit: object({
    name: Type.String(),
    kind: text('a run of thevenin discover | a reference circuit | a file in the exchange format'),
    edges: Type.Array(text('sender->reader'), { description: 'in canonical order, dead ends pruned' }),
    graphEdges: count('edges of the whole graph'),
  }),
  settings: object({
    ablation: text(`what an edge outside the circuit reads: ${SOURCE_KINDS.join(' | ')}`),
    seed: Type.Integer(),
    forced: Type.Boolean({ description: 'gone on although the model does not do the task' }),
  }),
  capability,
  evaluation,
});

export const EVALUATION_SCHEMA = published('Thevenin record of the evaluation of a circuit', schema);
export type CircuitEvaluationRecord = DeepReadonly<Static<typeof schema>>;
