/**
 * The record of activation patching, `patching.json`, and what is drawn of it. Values are means over pairs; those of every pair
 * are in the npy files named.
 */
import { Type } from '@sinclair/typebox';
import type { Static } from '@sinclair/typebox';
import { direction, nullable, object, origin, published, sidecar, text, type DeepReadonly } from './fragments.js';
import { pairs } from './pairs.js';

export const gridAxis = object({
  name: Type.Union(
    (['layer', 'head', 'neuron', 'position', 'span', 'query', 'key', 'sender', 'receiver', 'heads'] as const)
      .map((name) => Type.Literal(name)),
  ),
  labels: Type.Array(Type.String()),
}); // prettier-ignore

const grid = object({
  grid: text('which activations were replaced'),
  title: Type.String(),
  axes: Type.Array(gridAxis, { description: 'slowest first' }),
  mean: Type.Array(Type.Number(), { description: 'metric of the patched runs, flat, the last axis fastest' }),
  recovery: nullable(
    Type.Array(Type.Number(), {
      description: '(m - m_corrupt) / (m_clean - m_corrupt); null where that is not defined',
    }),
  ),
  perExample: Type.Composite([sidecar], {
    additionalProperties: false,
    description: 'metric of every pair, [...axes, pair]',
  }),
});

const KINDS = ['activation-patching', 'path-patching', 'attention-knockout', 'causal-tracing'] as const;

/** What patching and causal tracing have in common. */
export const patchingFields = {
  ...origin,
  pairs,
  kind: Type.Union(KINDS.map((kind) => Type.Literal(kind))),
  direction,
  clean: Type.Number({ description: 'mean metric of the clean prompts' }),
  corrupt: Type.Number({ description: 'mean metric of the corrupt prompts' }),
  undefinedBecause: nullable(text('why there is no recovery; null where there is')),
  grids: Type.Array(grid),
};

const schema = object(patchingFields);

/** The published JSON Schema (schemas/patching.schema.json). */
export const PATCHING_SCHEMA = published('Thevenin record of patching', schema);

export type PatchingRecord = DeepReadonly<Static<typeof schema>>;
export type PatchingKind = PatchingRecord['kind'];
export type GridRecord = DeepReadonly<Static<typeof grid>>;
/** What cells are named by: a grid's axes, or those of any other picture. */
export type HeatAxis = { readonly name: string; readonly labels: readonly string[] };

/**
 * What a cell shows, 0 where replacing changed nothing: denoising, the share of the metric that came back (recovery); noising,
 * the share that was lost (1 − recovery); where recovery is not defined, the change of the metric itself.
 */
export function shown(
  { direction, clean, corrupt }: PatchingRecord,
  { mean, recovery }: GridRecord,
): readonly number[] {
  if (recovery !== null) return direction === 'denoising' ? recovery : recovery.map((share) => 1 - share);
  const base = direction === 'denoising' ? corrupt : clean;
  return mean.map((value) => value - base);
}

export function shownName({ direction, task, undefinedBecause }: PatchingRecord): string {
  if (undefinedBecause !== null) return `change of ${task.metric}`;
  return direction === 'denoising' ? 'recovered share' : 'lost share';
}

/** The cell's place in words: `layer 3, head 1, position 4 S2`. */
export function cellName(axes: readonly HeatAxis[], cell: number): string {
  let rest = cell;
  const parts = [...axes].reverse().map(({ name, labels }) => {
    const label = labels[rest % labels.length];
    rest = Math.floor(rest / labels.length);
    return `${name} ${label}`;
  });
  return parts.reverse().join(', ');
}

/** Cells with the largest |shown|, strongest first, ties in order. */
export function strongestCells(values: readonly number[], count: number): readonly number[] {
  const order = values.map((_, cell) => cell);
  return order.sort((a, b) => Math.abs(values[b] as number) - Math.abs(values[a] as number) || a - b).slice(0, count);
}
