/**
 * Activation patching (Meng et al. 2202.05262; Heimersheim & Nanda 2404.15255): one site at a time is given its value from the
 * other prompt, everything after it is recomputed, and the metric read. Denoising puts clean values into the corrupt run,
 * noising corrupt values into the clean one.
 */
import { planBatches, type PlannedBatch } from '../../engine/core/batches.js';
import type { Engine } from '../../engine/core/engine.js';
import type { Direction } from '../../engine/sources/kinds.js';
import { withSession } from '../../engine/questions/session.js';
import type { Example, MetricKey } from '../../task/types.js';
import type { PlannedGrid } from './types.js';

export interface PatchingGrid {
  readonly plan: PlannedGrid;
  /** metric of the patched run, [...axes, example] */
  readonly perExample: Float64Array;
  /** its mean over the examples, [...axes] */
  readonly mean: Float64Array;
  /**
   * (m − m_corrupt) / (m_clean − m_corrupt) of the means, [...axes]: 0 = as the corrupt prompts, 1 = as the clean ones; null
   * where the two do not differ
   */
  readonly recovery: Float64Array | null;
}

export interface Patching {
  readonly direction: Direction;
  /** metric of each example without intervention */
  readonly clean: Float64Array;
  readonly corrupt: Float64Array;
  readonly grids: readonly PatchingGrid[];
}

export interface PatchingOptions {
  readonly metric: MetricKey;
  readonly direction: Direction;
  readonly signal?: AbortSignal;
  /** cells × examples finished, of all */
  readonly onProgress?: (done: number, total: number) => void;
}

/** Runs grids on examples. Cost: two forward passes, and at most one per cell (less for cells in later layers). */
export async function runGrids(
  engine: Engine,
  examples: readonly Example[],
  { grids, ...options }: PatchingOptions & { readonly grids: readonly PlannedGrid[] },
): Promise<Patching> {
  const count = examples.length;
  const [clean, corrupt] = [new Float64Array(count), new Float64Array(count)];
  const values = grids.map(({ cells }) => new Float64Array(cells * count));
  const total = count * grids.reduce((sum, { cells }) => sum + cells, 0);
  let done = 0;
  for (const batch of batchesByLayout(engine, examples, grids))
    await withSession(engine, batch, options, async (session) => {
      batch.indices.forEach((place, i) => {
        clean[place] = session.clean[i] as number;
        corrupt[place] = session.corrupt[i] as number;
      });
      for (const [g, grid] of grids.entries())
        await grid.ask(session, (cell, answers) => {
          options.signal?.throwIfAborted();
          answers.forEach((answer, i) =>
            batch.indices.forEach(
              (place, e) => ((values[g] as Float64Array)[(cell + i) * count + place] = answer[e] as number),
            ),
          );
          options.onProgress?.((done += answers.length * batch.indices.length), total);
        });
    });
  const baselines = { clean: meanOf(clean), corrupt: meanOf(corrupt) };
  return {
    direction: options.direction,
    clean,
    corrupt,
    grids: grids.map((plan, g) => gridOf(plan, values[g] as Float64Array, baselines)),
  };
}

/** A question names positions for all examples of a batch: only examples whose places lie equally are batched together. */
export function batchesByLayout(
  engine: Engine,
  examples: readonly Example[],
  grids: readonly PlannedGrid[],
): PlannedBatch[] {
  const groups = new Map<string, number[]>();
  examples.forEach((example, i) => {
    const layout = JSON.stringify(grids.map((grid) => grid.layout(example)));
    groups.set(layout, [...(groups.get(layout) ?? []), i]);
  });
  return [...groups.values()].flatMap((group) =>
    planBatches(
      engine,
      group.map((i) => examples[i] as Example),
    ).batches.map((batch) => ({
      ...batch,
      indices: batch.indices.map((place) => group[place] as number),
    })),
  );
}

function gridOf(
  plan: PlannedGrid,
  perExample: Float64Array,
  baselines: { clean: number; corrupt: number },
): PatchingGrid {
  const count = perExample.length / plan.cells;
  const mean = Float64Array.from({ length: plan.cells }, (_, cell) =>
    meanOf(perExample.subarray(cell * count, (cell + 1) * count)),
  );
  const gap = baselines.clean - baselines.corrupt;
  const scale = Math.max(1, Math.abs(baselines.clean), Math.abs(baselines.corrupt));
  const defined = Math.abs(gap) > COINCIDE * scale;
  return { plan, perExample, mean, recovery: defined ? mean.map((m) => (m - baselines.corrupt) / gap) : null };
}

/** Baselines nearer than float32 can tell apart have nothing between them that could be recovered. */
const COINCIDE = 1e-5;

const meanOf = (values: Float64Array): number => values.reduce((sum, value) => sum + value, 0) / values.length;
