/** What `thevenin discover` finds beside whole edges: edges at some positions, and of single neurons, each measured as well as scored. */
import { cutName } from '../../attribution/edges/resolution.js';
import { METHODS, type EdgeMethod } from '../../attribution/edges/index.js';
import type { Options } from '../../attribution/options.js';
import {
  neuronEdgeName,
  scoreNeurons,
  strongestNeuronEdges,
  type NeuronScores,
} from '../../attribution/edges/neurons.js';
import type { Attribution } from '../../attribution/edges/types.js';
import type { PositionGroups } from '../../engine/model-run/groups.js';
import type { AlternativeMaker } from '../../engine/sources/index.js';
import { refuse } from '../../errors.js';
import { measureEffects, type EdgeCut } from '../../evaluation/effects.js';
import { meanOf } from '../../evaluation/statistics/intervals.js';
import type { CheckedTask, Example } from '../../task/types.js';
import type { DiscoverRequest } from './request.js';
import { sourceFor } from '../../engine/sources/rehearsed.js';
import { CAPABILITY } from './capable.js';
import type { Stages } from '../stages.js';
import type { Workbench } from '../workbench.js';

/** An edge at some positions, or of a neuron: its score, and what the metric loses when it alone is cut. */
export interface FinerEdge {
  readonly edge: number;
  readonly name: string;
  readonly score: number;
  readonly exact: number;
}

export interface Finer {
  /** strongest score first; null: positions were not told apart */
  readonly places: readonly FinerEdge[] | null;
  /** null: no neurons were asked for */
  readonly neurons: { readonly scores: readonly NeuronScores[]; readonly strongest: readonly FinerEdge[] } | null;
}

export interface FinerWork {
  readonly request: DiscoverRequest;
  readonly method: EdgeMethod;
  readonly options: Options;
  readonly groups: PositionGroups | undefined;
  readonly source: AlternativeMaker | undefined;
  readonly stages: Stages;
  /** those that edges are scored on */
  readonly examples: readonly Example[];
}

/**
 * Whether neurons can be asked for. @throws TheveninError discovery/neurons: the method or the source cannot, or the model has no
 * such layer
 */
export function checkNeurons(
  { model: { config } }: Workbench,
  { neurons, source }: DiscoverRequest,
  method: EdgeMethod,
): void {
  if (!neurons) return;
  const say = (why: string): never => refuse('discovery/neurons', why);
  if (!method.points)
    say(
      `${method.key} does not tell neurons apart; methods that do: ${METHODS.filter(({ points }) => points)
        .map(({ key }) => key)
        .join(', ')}`,
    );
  if (config.dMlp === 0) say('the model has no MLPs, so no neurons');
  const outside = neurons.filter((layer) => layer >= config.nLayers);
  if (outside.length > 0)
    say(`there is no layer ${outside.join(', ')}: the model has layers 0 … ${config.nLayers - 1}`);
  if (source !== 'other-prompt')
    say(`what single neurons say is known of prompts alone: --neurons goes with --source other-prompt, not ${source}`);
}

export async function findFiner(
  bench: Workbench,
  task: CheckedTask,
  work: FinerWork & { readonly attribution: Attribution },
): Promise<Finer> {
  return { places: await atPlaces(bench, task, work), neurons: await ofNeurons(bench, task, work) };
}

/** The edges at groups of positions that score most. */
async function atPlaces(
  bench: Workbench,
  task: CheckedTask,
  work: FinerWork & { readonly attribution: Attribution },
): Promise<Finer['places']> {
  const { groups, attribution, request } = work;
  const { resolved } = attribution;
  if (!groups || !resolved) return null;
  const width = groups.names.length;
  const cells = strongestOf(resolved.mean, request.exactEdges);
  const cuts = cells.map((cell) => ({ edge: Math.floor(cell / width), group: cell % width }));
  const measured = await measureExact(bench, task, {
    ...work,
    what: 'edges at some positions',
    cuts: cuts.map(({ edge, group }) => ({ edge, positions: (example) => groups.positions(example)[group] ?? [] })),
  });
  return cuts.map((cut, i) => ({
    ...{ edge: cut.edge, name: cutName(bench.engine.universe, cut, groups) },
    ...{ score: resolved.mean[cells[i] as number] as number, exact: meanOf(measured[i] as Float64Array) },
  }));
}

/** The edges of single neurons that score most. */
async function ofNeurons(bench: Workbench, task: CheckedTask, work: FinerWork): Promise<Finer['neurons']> {
  const { request, method, options, source, stages, examples } = work;
  if (!request.neurons) return null;
  const { engine } = bench;
  const layers = request.neurons;
  const points = method.points?.(options) ?? [];
  const scores = await stages.run(`edges of neurons of layers ${layers.join(', ')}`, examples.length, (report) => {
    const context = { engine, examples, metric: task.metric, source, signal: stages.signal };
    return scoreNeurons({ ...context, onProgress: (done) => report(done) }, points, layers);
  });
  const edges = strongestNeuronEdges(engine, scores, request.exactEdges);
  const measured = await measureExact(bench, task, { ...work, what: 'edges of neurons', cuts: edges });
  const strongest = edges.map((one, i) => ({
    ...{ edge: one.edge, name: neuronEdgeName(engine.universe, one) },
    ...{ score: one.score, exact: meanOf(measured[i] as Float64Array) },
  }));
  return { scores, strongest };
}

/** The places of the largest |score|s, ties by canonical order. */
export function strongestOf(mean: Float64Array, count: number): number[] {
  const order = Array.from(mean.keys());
  return order.sort((a, b) => Math.abs(mean[b] as number) - Math.abs(mean[a] as number) || a - b).slice(0, count);
}

/** The exact effects of cuts [cut][example]. */
export function measureExact(
  { engine }: Workbench,
  { metric }: CheckedTask,
  of: Pick<FinerWork, 'source' | 'stages' | 'examples'> & { cuts: readonly EdgeCut[]; what: string },
): Promise<Float64Array[]> {
  const { cuts, what, source, stages, examples } = of;
  const title = `exact effects of ${cuts.length} ${what}`;
  return stages.rehearsed(title, { engine, examples, total: examples.length, pace: CAPABILITY }, async (own, watch) =>
    measureEffects(own, examples, cuts, { metric, source: await sourceFor(own, source), ...watch }),
  );
}
