/**
 * The report record, `report.json`: everything needed to redraw a finding or to run it again. Every view and exchange format is a
 * function of this record and its npy sidecars alone.
 *
 * Scores, effects and metric values are means over pairs; a positive score or effect means that the edge helps the task. Null is
 * written where something was not measured. Apart from `timings`, the same seed, machine, runtime and chunk plan give the same bytes.
 */
import { Type } from '@sinclair/typebox';
import type { Static } from '@sinclair/typebox';
import { SOURCE_KINDS } from '../../engine/sources/kinds.js';
import {
  count,
  method,
  nullable,
  object,
  published,
  request,
  sha256,
  sidecar,
  text,
  type DeepReadonly,
  type estimate,
} from './fragments.js';
import { pairs } from './pairs.js';
import { capability, evaluation, minimal } from './judgement.js';

const SCHEMA_VERSION = 1;

const versions = object({
  thevenin: Type.String(),
  node: Type.String(),
  runtime: object({
    key: text('onnx | tfjs | reference'),
    version: Type.String(),
    detail: text('execution provider or backend, threads'),
  }),
});

const model = object({
  name: text('name only, no path'),
  architecture: Type.String(),
  config: Type.Record(Type.String(), Type.Unknown(), {
    description: "the model's shape and arithmetic as the loader read it",
  }),
  weightsSha256: sha256('the weight files'),
  tokenizerSha256: nullable(sha256('what defines the tokenizer')),
});

const task = object({
  name: Type.String(),
  metric: Type.String(),
  sha256: sha256('the task file as read'),
  provenance: Type.String(),
  bos: Type.Boolean({ description: 'whether a BOS id was prepended to every prompt' }),
  pairs: count('pairs that passed the checks'),
  splits: object({
    discover: count('pairs scored'),
    choose: count('pairs for choosing settings'),
    report: count('pairs evaluated'),
    whole: Type.Boolean({ description: 'every pair is in every split: nothing was held out' }),
    seed: Type.Integer(),
  }),
  dropped: Type.Array(object({ reason: Type.String(), items: Type.Array(Type.String()) }), {
    description: 'what the task left out for this model, and why',
  }),
});

const losses = (description: string) =>
  object(
    { learned: Type.Number(), mean: Type.Number(), zero: Type.Number(), 'other-prompt': Type.Number() },
    description,
  );

const settings = object({
  method,
  direction: nullable(Type.Union([Type.Literal('noising'), Type.Literal('denoising')])),
  sign: Type.Literal('positive = the edge helps the task'),
  riemann: nullable(
    object({
      rule: text('where the points lie: midpoint, left, right, trapezoid, gauss-legendre'),
      steps: Type.Integer({ minimum: 1 }),
    }),
  ),
  ablation: text(`where a cut edge reads its sender from: ${SOURCE_KINDS.join(' | ')}`),
  noise: Type.Optional(
    object({
      scale: Type.Number({ description: 'in standard deviations of what it replaces' }),
      seed: Type.Integer(),
    }),
  ),
  constants: Type.Optional(
    object(
      {
        metric: text('what they were learned to hurt least'),
        reference: losses('on the pairs that they were learned on'),
        heldOut: losses('on the pairs that nothing was learned on'),
      },
      'of learned constants: what is lost when a sender alone is ablated, mean over senders and pairs',
    ),
  ),
  selection: object({
    rule: Type.String(),
    by: Type.Union([Type.Literal('absolute'), Type.Literal('signed')]),
    requested: Type.Number({ description: 'edges before pruning, or a score for threshold' }),
  }),
  seed: Type.Integer(),
  forced: Type.Boolean({ description: 'gone on although the model does not do the task' }),
});

const chunkPlan = object({
  memoryBudgetBytes: count('the ceiling'),
  stages: Type.Array(
    object({
      stage: Type.String(),
      examplesPerChunk: count('pairs at once'),
      chunks: count('how many'),
      estimatedBytes: count('held at once beside the weights, estimated before it began; at least, of what takes long'),
    }),
  ),
});

const graph = object({
  shape: object({
    nLayers: count('layers'),
    nHeads: count('query heads per layer'),
    hasMlp: Type.Boolean(),
    parallelBlocks: Type.Boolean(),
  }),
  senders: count('input, heads, MLPs'),
  readers: count('q, k and v of heads, MLPs, logits'),
  edges: count('the edge universe'),
});

const edge = object({
  index: count('place in canonical order; row of the per-edge sidecars'),
  name: text('sender->reader, e.g. a0.h1->a2.h3<k>'),
  score: Type.Number({ description: "the method's score" }),
  low: nullable(Type.Number({ description: "lower end of the score's 95 % interval over pairs" })),
  high: nullable(Type.Number()),
  exact: nullable(
    Type.Number({ description: 'measured by intervention: how much the metric loses when this edge alone is cut' }),
  ),
});

const topEdge = Type.Composite([edge, Type.Object({ inCircuit: Type.Boolean() })], { additionalProperties: false });

const finerEdge = (name: string) =>
  object({
    edge: count('place in canonical order'),
    name: text(name),
    score: Type.Number({ description: "the method's score of it" }),
    exact: Type.Number({ description: 'how much the metric loses when it alone is cut' }),
  });

const neurons = object(
  {
    layers: Type.Array(count('a layer')),
    top: Type.Array(finerEdge('sender.n…->reader or sender->reader.n…'), { description: 'largest |score| first' }),
  },
  'edges of which a single neuron of an MLP sends or reads',
);

const resolved = object(
  {
    places: Type.Union([Type.Literal('position'), Type.Literal('span')]),
    groups: Type.Array(text('a position or a span; elsewhere: positions in none')),
    top: Type.Array(finerEdge('sender->reader@group'), { description: 'largest |score| first' }),
  },
  'where along the prompt edges carry what they carry',
);

const circuit = object({
  chosen: count('edges chosen, before dead ends were pruned'),
  edgeCount: count('edges left'),
  tiesLeftOut: count('edges as good as the last one chosen that were left out'),
  edges: Type.Array(edge, { description: 'in canonical order' }),
  nodes: Type.Array(Type.String(), { description: 'input, heads, MLPs and logits with an edge in the circuit' }),
});

const search = object(
  {
    tried: count('edges tried one after the other: forward passes of the sequential algorithm'),
    circuits: count('circuits measured, those asked in vain included'),
    passes: count('in how many goes they were asked'),
  },
  'what a search for the circuit took',
);

const missed = object(
  {
    samples: count('random subsets of the edges not measured that were cut together'),
    probability: Type.Number({ description: 'of an edge to be in a subset' }),
    confidence: Type.Number({ description: 'of the bounds' }),
    among: count('edges that were not measured'),
    bound: nullable(
      Type.Number({ description: 'no |effect| among them is larger; null where subsets were too few to tell' }),
    ),
    suspects: Type.Array(
      object({
        index: count('place in canonical order'),
        name: text('sender->reader'),
        estimate: Type.Number({ description: 'mean effect of subsets with the edge - of those without' }),
        bound: nullable(Type.Number({ description: '|effect| is below it, with that confidence' })),
        exact: Type.Number({ description: 'how much the metric loses when it alone is cut' }),
      }),
      { description: 'largest |estimate| first' },
    ),
  },
  'what the ranking may have missed, by sampling subsets (arXiv:2403.00745, 3.3)',
);

const layout = object({
  key: text('layered | force'),
  seed: nullable(Type.Integer()),
  positions: Type.Record(Type.String(), Type.Tuple([Type.Number(), Type.Number()]), {
    description: 'node -> [x, y], y upward, in units of one column and one row',
  }),
});

const schema = object({
  schemaVersion: Type.Literal(SCHEMA_VERSION),
  request,
  versions,
  model,
  task,
  pairs,
  settings,
  capability,
  chunkPlan,
  graph,
  circuit,
  search: nullable(search),
  evaluation,
  minimal: nullable(minimal),
  missed: nullable(missed),
  resolved: nullable(resolved),
  neurons: nullable(neurons),
  topEdges: Type.Array(topEdge, { description: 'largest |score| first' }),
  layout,
  cost: object({
    tokens: count('tokens through all layers, forward and backward; through some of them, as much as that is'),
    forwardPasses: count('prompts through all layers'),
    backwardPasses: count('the same, backward'),
    stages: Type.Optional(
      Type.Array(
        object({
          stage: Type.String(),
          tokens: count('of this stage'),
          forwardPasses: count('of this stage'),
          backwardPasses: count('of this stage'),
          kernelRuns: count('of this stage'),
        }),
      ),
    ),
  }),
  timings: object({
    startedAt: text('ISO 8601'),
    totalSeconds: Type.Number({ minimum: 0 }),
    stages: Type.Array(
      object({
        stage: Type.String(),
        seconds: Type.Number({ minimum: 0 }),
        kernelSeconds: Type.Optional(Type.Number({ minimum: 0, description: 'of these, in kernels' })),
      }),
    ),
  }),
  sidecars: Type.Array(sidecar),
});

/** The published JSON Schema (schemas/report.schema.json). */
export const REPORT_SCHEMA = published('Thevenin report record', schema);

export type ReportRecord = DeepReadonly<Static<typeof schema>>;
export type Estimate = DeepReadonly<Static<ReturnType<typeof estimate>>>;
export type ReportEdge = DeepReadonly<Static<typeof edge>>;
export type SidecarRecord = DeepReadonly<Static<typeof sidecar>>;
