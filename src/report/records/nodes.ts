/**
 * The record of attribution to nodes, `nodes.json`: estimates of what replacing each node by its value on the corrupt prompt takes
 * from the metric, and exact effects of some. Positive = the node helps the task. Values are means over pairs.
 */
import { Type } from '@sinclair/typebox';
import type { Static } from '@sinclair/typebox';
import { number, whole, type Table } from '../format.js';
import { gridAxis } from './patching.js';
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
import { pairs } from './pairs.js';

const measured = object({
  cell: count('place in the grid, the last axis fastest'),
  name: Type.String(),
  why: Type.Union([Type.Literal('strongest'), Type.Literal('random')]),
  estimate: Type.Number(),
  exact: estimate('metric clean - metric with the node replaced'),
});

const agreement = object({
  count: count('cells measured'),
  correlation: nullable(Type.Number({ description: 'Pearson; null where either does not vary' })),
  rankCorrelation: nullable(Type.Number({ description: 'Spearman' })),
  largestMiss: nullable(
    object({ cell: count('place in the grid'), name: Type.String(), estimate: Type.Number(), exact: Type.Number() }),
  ),
});

const site = object({
  site: text('which activations are the nodes'),
  title: Type.String(),
  axes: Type.Array(gridAxis, { description: 'slowest first' }),
  mean: Type.Array(Type.Number(), { description: 'estimate of every node, flat, the last axis fastest' }),
  perExample: nullable(
    Type.Composite([sidecar], {
      additionalProperties: false,
      description: 'estimates of every pair, [...axes, pair]; null where they were not kept',
    }),
  ),
  measured: Type.Array(measured, { description: 'strongest estimates first, then a random sample of the others' }),
  agreement: object({ all: agreement, random: agreement }, 'between estimates and exact effects'),
});

const schema = object({
  ...origin,
  pairs,
  kind: Type.Literal('node-attribution'),
  method,
  settings: object({
    steps: nullable(Type.Integer({ description: 'points of the integral; null where there is none' })),
    rule: nullable(text('where they lie')),
    top: count('strongest cells measured, of each site'),
    sample: count('random cells measured, of each site'),
    seed: Type.Integer({ description: 'of the sample' }),
  }),
  clean: estimate('metric of the clean prompts'),
  corrupt: estimate('metric of the corrupt prompts'),
  sites: Type.Array(site),
  memory: object({
    cells: count('of all sites'),
    perExampleBytes: count('that the estimates of every pair take'),
    kept: Type.Boolean(),
    chunkBytes: count('estimated of runs and gradients of the pairs that go through at once'),
    chunkPairs: count('pairs at once'),
  }),
});

/** The published JSON Schema (schemas/nodes.schema.json). */
export const NODES_SCHEMA = published('Thevenin record of attribution to nodes', schema);

export type NodesRecord = DeepReadonly<Static<typeof schema>>;
export type SiteRecord = DeepReadonly<Static<typeof site>>;
export type Agreement = DeepReadonly<Static<typeof agreement>>;
export type MeasuredNode = DeepReadonly<Static<typeof measured>>;

export const capital = (text: string): string => `${text[0]?.toUpperCase() ?? ''}${text.slice(1)}`;

/** How far estimates can be believed, in one sentence. */
export function agreementSentence({ agreement: { all, random } }: SiteRecord): string {
  if (all.count === 0) return 'No exact effects were measured: these are estimates alone.';
  const said = ({ correlation, rankCorrelation }: Agreement): string =>
    correlation === null || rankCorrelation === null
      ? 'undefined'
      : `${number(correlation)} (of ranks ${number(rankCorrelation)})`;
  const sample = random.count === 0 ? '' : `, of the ${whole(random.count)} drawn at random ${said(random)}`;
  return `Correlation with exact effects ${said(all)} over ${whole(all.count)} nodes${sample}; ${missOf(all)}.`;
}

const missOf = ({ largestMiss: miss }: Agreement): string =>
  miss === null
    ? 'no estimate misses'
    : `largest miss ${miss.name}: estimated ${number(miss.estimate, { signed: true })}, exact ${number(miss.exact, { signed: true })}`;

/** Estimates beside exact effects. */
export const measuredTable = (record: NodesRecord, of: SiteRecord): Table => ({
  title: capital(of.title),
  columns: ['node', 'estimate', 'exact effect', '95 % interval', 'chosen'],
  rows: of.measured.map(({ name, estimate: guess, exact: { mean, low, high }, why }) => [
    name,
    number(guess, { signed: true }),
    number(mean, { signed: true }),
    low === null || high === null ? '–' : `[${number(low)}, ${number(high)}]`,
    why,
  ]),
  note: `${agreementSentence(of)} ${capital(record.method.title)}; both in ${record.task.metric}, positive = the node helps the task.`,
});
