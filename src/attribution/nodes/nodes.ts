/**
 * What every head, neuron, layer output or stream is worth, estimated from gradients (attribution patching, Nanda 2023, and its
 * integrated gradients), and what chosen ones are worth exactly. Positive = the node helps the task:
 *
 *     estimate = −⟨alternative − clean value, Σ_k w_k ∂metric/∂value⟩        exact = metric clean − metric with the node replaced
 *
 * summed over all positions, for each position, or for each span. Replaced means: given its value on the corrupt prompt.
 */
import { planBatches } from '../../engine/core/batches.js';
import { requireFinite } from '../../engine/core/finite.js';
import type { Engine } from '../../engine/core/engine.js';
import type { Point } from '../../engine/gradients/gradient.js';
import { nodeBytesPerToken, nodeGradients, type Along, type NodeScores } from '../../engine/gradients/node-gradient.js';
import { LINES, type NodeSite } from '../../engine/gradients/node-lines.js';
import { withSession, type AskOptions } from '../../engine/questions/session.js';
import { refuse } from '../../errors.js';
import type { Example, MetricKey } from '../../task/types.js';
import { batchesByLayout } from '../../interventions/patching/patching.js';
import type { SitesGrid } from '../../interventions/patching/plan.js';
import type { NodeAttribution, NodeEstimates, NodeMemory, NodesContext, NodesOptions } from './types.js';

/** A divergence from the clean run is least there: its gradient is zero. @throws TheveninError interventions/estimator */
export function checkPoints(metric: MetricKey, points: readonly Point[]): void {
  if (metric === 'kl-divergence' && points.every(({ at }) => at === 1))
    refuse(
      'interventions/estimator',
      `${metric} has no gradient on the clean prompts, the only point asked for; use the method ap-ig or ig, or another metric (logit-difference, log-probability, probability-difference)`,
    );
}

/** @throws TheveninError interventions/grid, before any compute */
export function nodeMemory(
  { engine, examples, grids, keep }: NodesContext,
  { length: copies }: readonly Point[],
): NodeMemory {
  const other = grids.find(({ kind }) => !NODE_SITES.includes(kind.key));
  if (other) refuse('interventions/grid', `${other.kind.key} is no node: attribution is to ${NODE_SITES.join(', ')}`);
  const cells = grids.reduce((sum, grid) => sum + grid.cells, 0);
  const perExampleBytes = cells * examples.length * 4;
  const kept = keep ?? perExampleBytes <= engine.options.memoryBytes / 4;
  const chunks = planBatches(engine, examples, copies).plan;
  const length = Math.max(0, ...examples.map(({ clean }) => clean.length));
  const each = nodeBytesPerToken(engine, {
    copies,
    length,
    neurons: grids.some(({ kind }) => kind.vast),
  });
  return { cells, perExampleBytes, kept, chunkBytes: chunks.tokensPerChunk * each, chunks };
}

const NODE_SITES: readonly string[] = Object.keys(LINES);

/** Cost: two forward passes, and those of the points. @throws TheveninError as `nodeMemory` */
export async function estimateNodes(
  context: NodesContext,
  { points, along }: { readonly points: readonly Point[]; readonly along: Along },
): Promise<NodeAttribution> {
  const memory = nodeMemory(context, points);
  const { engine, examples, grids } = context;
  const layers = [...new Set(grids.flatMap((grid) => grid.layers))];
  const sums = grids.map((grid) => new Sums(grid, examples.length, memory.kept));
  const [clean, corrupt] = [new Float64Array(examples.length), new Float64Array(examples.length)];
  let done = 0;
  for (const batch of planBatches(engine, examples, points.length).batches) {
    context.signal?.throwIfAborted();
    await withSession(engine, batch, noising(context.metric), async (session) => {
      batch.indices.forEach((place, i) => {
        clean[place] = session.clean[i] as number;
        corrupt[place] = session.corrupt[i] as number;
      });
      const sites = grids.map(({ kind }) => kind.key as NodeSite);
      const asked = { sites, layers, points, along };
      await nodeGradients(session.bound, asked, (scores) => (sums[sites.indexOf(scores.site)] as Sums).add(scores, batch)); // prettier-ignore
    });
    context.onProgress?.((done += batch.indices.length), examples.length);
  }
  const sites = sums.map((one) => one.estimates());
  for (const { mean } of sites) requireFinite(engine, mean, 'an estimate');
  return { clean, corrupt, sites, memory };
}

const noising = (metric: MetricKey): AskOptions => ({ metric, direction: 'noising' });

/** Scores of nodes at positions, gathered into the cells of a grid. */
class Sums {
  private readonly mean: Float64Array;
  private readonly perExample: Float32Array | null;

  constructor(
    private readonly grid: SitesGrid,
    private readonly count: number,
    kept: boolean,
  ) {
    this.mean = new Float64Array(grid.cells);
    this.perExample = kept ? new Float32Array(grid.cells * count) : null;
  }

  add(
    { layer, scores, nodes, start }: NodeScores,
    { examples, indices, length }: { examples: readonly Example[]; indices: readonly number[]; length: number },
  ): void {
    const { layers, places, cellsPerLayer } = this.grid;
    if (!layers.includes(layer)) return; // another grid asks for it
    const positions = length - start;
    examples.forEach((example, e) => {
      const lie = places.positions(example).map((given) => placesFrom(given, { start, length }));
      for (let node = 0; node < nodes; node++) {
        const from = (e * nodes + node) * positions;
        const cell = layers.indexOf(layer) * cellsPerLayer + node * lie.length;
        lie.forEach((own, place) => {
          let sum = 0;
          for (const position of own) sum -= scores[from + position] as number;
          this.put(cell + place, indices[e] as number, sum);
        });
      }
    });
  }

  private put(cell: number, example: number, value: number): void {
    this.mean[cell] = (this.mean[cell] as number) + value / this.count;
    if (this.perExample) this.perExample[cell * this.count + example] = value;
  }

  estimates(): NodeEstimates {
    return { plan: this.grid, mean: this.mean, perExample: this.perExample };
  }
}

/** Positions, counted from the first that was computed; all where none are named. */
const placesFrom = (given: readonly number[] | undefined, of: { start: number; length: number }): number[] => {
  const all = given ?? Array.from({ length: of.length }, (_, position) => position);
  return all.filter((position) => position >= of.start).map((position) => position - of.start);
};

/** The exact effect of chosen cells of a grid, [cell][example]. Cost: two forward passes, and at most one per cell. */
export async function measureCells(
  engine: Engine,
  examples: readonly Example[],
  of: NodesOptions & { readonly grid: SitesGrid; readonly cells: readonly number[] },
): Promise<Float64Array[]> {
  const { grid, cells, metric, signal, onProgress } = of;
  const effects = cells.map(() => new Float64Array(examples.length));
  let done = 0;
  for (const batch of batchesByLayout(engine, examples, [grid])) {
    signal?.throwIfAborted();
    const [first] = batch.examples;
    await withSession(engine, batch, noising(metric), async (session) => {
      const answers = await session.ask(cells.map((cell) => grid.question(cell, first as Example)));
      answers.forEach((values, c) =>
        batch.indices.forEach(
          (place, i) => ((effects[c] as Float64Array)[place] = (session.base[i] as number) - (values[i] as number)),
        ),
      );
    });
    onProgress?.((done += batch.indices.length), examples.length);
  }
  return effects;
}
