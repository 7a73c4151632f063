/** Means and standard deviations of what every node says over reference prompts. */
import { refuse } from '../../errors.js';
import type { Example } from '../../task/types.js';
import type { Tensor } from '../../runtime/types.js';
import { withArena, type Arena } from '../core/arena.js';
import type { Engine } from '../core/engine.js';
import { learnedPositions, patternOf, withCachedRun, type CachedRun, type PromptSide } from '../model-run/prompts.js';
import type { Batch } from '../core/batches.js';
import { BY_LENGTH } from './groupings.js';
import type { Grouping } from './types.js';

/** Where values are fixed; the embedding without learned positions. */
export type FixedSite = 'embedding' | 'z' | 'm' | 'q' | 'k' | 'v';

export const siteKey = (site: FixedSite, layer: number): string => `${site}@${layer}`;

/** Of one site in one group: [heads, length|1, dHead] or [length|1, d]. */
export interface Moment {
  readonly mean: Float64Array;
  /** population standard deviation of each coordinate */
  readonly deviation: Float64Array;
}

/** Held in float64; a few vectors per node and group. */
export interface Moments {
  readonly grouping: Grouping;
  readonly of: (site: FixedSite, layer: number, example: Example) => Moment;
}

export interface Reference {
  readonly batches: readonly Batch[];
  readonly side: PromptSide;
  readonly grouping: Grouping;
}

interface Into {
  readonly sums: Map<string, Sums>;
  readonly grouping: Grouping;
  readonly batch: Batch;
}

interface Sums {
  readonly sum: Float64Array;
  readonly squares: Float64Array;
  count: number;
}

/** Cost: one forward pass over the reference prompts. */
export async function measureMoments(engine: Engine, { batches, side, grouping }: Reference): Promise<Moments> {
  const sums = new Map<string, Sums>();
  for (const batch of batches)
    await withCachedRun(engine, batch, side, (run) =>
      withArena(async (arena) => {
        for (const { site, layer, tensor } of await measuredTensors(engine, run, arena))
          await accumulate(tensor, { sums, grouping, batch, keyOf: (group) => `${siteKey(site, layer)} ${group}` });
      }),
    );
  const moments = new Map([...sums].map(([key, one]) => [key, momentOf(one)]));
  return {
    grouping,
    of: (site, layer, example) =>
      moments.get(`${siteKey(site, layer)} ${grouping.groupOf(example)}`) ?? refuseGroup(grouping, example),
  };
}

const refuseGroup = (grouping: Grouping, example: Example): never =>
  refuse(
    'discovery/source',
    `no mean can be taken for pair ${example.index}: there are no reference ${grouping.describe(example)}`,
  );

function momentOf({ sum, squares, count }: Sums): Moment {
  const mean = sum.map((x) => x / count);
  return { mean, deviation: squares.map((x, i) => Math.sqrt(Math.max(0, x / count - (mean[i] as number) ** 2))) };
}

interface Measured {
  readonly site: FixedSite;
  readonly layer: number;
  /** [1, examples, rows…, length, columns]: rows are heads or nothing */
  readonly tensor: Tensor;
}

async function measuredTensors(engine: Engine, run: CachedRun, arena: Arena): Promise<Measured[]> {
  const per = (site: FixedSite, list: readonly Tensor[]): Measured[] =>
    list.map((tensor, layer) => ({ site, layer, tensor }));
  const role = (name: 'q' | 'k' | 'v'): Measured[] =>
    per(
      name,
      run.heads.map((heads) => heads[name]),
    );
  const positions = await learnedPositions(engine, run.length);
  const pre = run.pre[0] as Tensor;
  const embedding = (await pre.read()).map((x, i) => x - (positions[i % positions.length] as number)) as Float32Array;
  const input = arena.own(engine.runtime.tensor(embedding, pre.shape));
  return [
    { site: 'embedding', layer: 0, tensor: input },
    ...per('z', run.z),
    ...per('m', run.m),
    ...role('q'),
    ...role('k'),
    ...role('v'),
  ];
}

async function accumulate(
  tensor: Tensor,
  { sums, grouping, batch, keyOf }: Into & { readonly keyOf: (group: string | null) => string },
): Promise<void> {
  const values = await tensor.read();
  const columns = tensor.shape.at(-1) as number;
  const heads = tensor.shape.length === 5 ? (tensor.shape[2] as number) : 1;
  const { length } = batch;
  const rows = grouping.positional ? length : 1;
  const size = heads * length * columns;
  batch.examples.forEach((example, place) => {
    const into = sumsAt(sums, keyOf(grouping.groupOf(example)), heads * rows * columns);
    for (let i = 0; i < size; i++)
      addTo(into, spreadIndex(i, { columns, length, rows }), values[place * size + i] as number);
    into.count += length / rows;
  });
}

function addTo({ sum, squares }: Sums, at: number, x: number): void {
  sum[at] = (sum[at] as number) + x;
  squares[at] = (squares[at] as number) + x * x;
}

function sumsAt(sums: Map<string, Sums>, key: string, size: number): Sums {
  const one = sums.get(key) ?? { sum: new Float64Array(size), squares: new Float64Array(size), count: 0 };
  sums.set(key, one);
  return one;
}

/** A moment's vectors at every position, [heads, length, columns] of `size` elements. */
export function spread(
  vectors: Float64Array,
  of: { readonly columns: number; readonly length: number; readonly size: number; readonly grouping: Grouping },
): Float64Array {
  const where = { columns: of.columns, length: of.length, rows: of.grouping.positional ? of.length : 1 };
  return Float64Array.from({ length: of.size }, (_, i) => vectors[spreadIndex(i, where)] as number);
}

/** Where the element i of [heads, length, columns] lies in [heads, rows, columns], rows being the positions or one for all. */
function spreadIndex(i: number, of: { columns: number; length: number; rows: number }): number {
  const { columns, length, rows } = of;
  const [position, head] = [Math.floor(i / columns) % length, Math.floor(i / columns / length)];
  return (head * rows + (rows > 1 ? position : 0)) * columns + (i % columns);
}

/** Mean patterns of a layer, [heads · length · length], over the reference prompts of an example's group and length. */
export type MeanPatterns = (example: Example, layer: number) => Promise<Float64Array>;

/** Cost: one forward pass over the reference prompts of a length when their patterns are first asked for. */
export function meanPatterns(engine: Engine, reference: Reference): MeanPatterns {
  const measured = new Map<number, Promise<Map<string, Sums>>>();
  return async (example, layer) => {
    const { length } = example.clean;
    const patterns = measured.get(length) ?? measurePatterns(engine, reference, length);
    measured.set(length, patterns);
    const sums = (await patterns).get(`${layer} ${reference.grouping.groupOf(example)}`);
    return sums ? momentOf(sums).mean : refuseGroup(BY_LENGTH, example);
  };
}

async function measurePatterns(engine: Engine, reference: Reference, length: number): Promise<Map<string, Sums>> {
  const batches = reference.batches.filter((batch) => batch.length === length);
  const sums = new Map<string, Sums>();
  for (const batch of batches)
    await withCachedRun(engine, batch, reference.side, async (run) => {
      for (let layer = 0; layer < engine.model.config.nLayers; layer++) {
        const pattern = await patternOf(engine, run, layer);
        const values = await pattern.read();
        pattern.dispose();
        const size = values.length / batch.examples.length;
        batch.examples.forEach((example, place) => {
          const into = sumsAt(sums, `${layer} ${reference.grouping.groupOf(example)}`, size);
          for (let i = 0; i < size; i++) addTo(into, i, values[place * size + i] as number);
          into.count++;
        });
      }
    });
  return sums;
}
