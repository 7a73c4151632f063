/** What the nodes of a model are worth to a task: estimates from gradients, exact effects of the strongest and of a sample. */
import { correlation, estimateMean, rankCorrelation } from '../../evaluation/statistics/intervals.js';
import { methodRecord } from '../../attribution/method.js';
import {
  attributeNodes,
  findNodeMethod,
  NODE_METHODS,
  planNodes,
  type NodeOptions,
  type NodesQuestion,
} from '../../attribution/nodes/index.js';
import { measureCells } from '../../attribution/nodes/nodes.js';
import type { NodeAttribution, NodeEstimates, NodeMemory, NodeMethod } from '../../attribution/nodes/types.js';
import { optionKeys, readOptions, type Options } from '../../attribution/options.js';
import { planGrids } from '../../interventions/patching/plan.js';
import type { By } from '../../text/divide.js';
import { NODES } from '../../report/folders/nodes.js';
import type { Agreement, MeasuredNode, NodesRecord, SiteRecord } from '../../report/records/nodes.js';
import { cellName, strongestCells } from '../../report/records/patching.js';
import { describeSidecar, type Sidecar } from '../../report/sidecar.js';
import { seeded } from '../../task/random.js';
import type { CheckedTask } from '../../task/types.js';
import { mebibytes } from '../../engine/core/fit.js';
import { job, type Found, type JobRequest, type JobResult } from '../job.js';
import { pairsOf } from '../pairs.js';
import type { Stages } from '../stages.js';
import { openTask, type TaskRequest, type Workbench } from '../workbench.js';

/** What `thevenin nodes` is asked, with the options of the methods beside its own. Only task and model have no default. */
export interface NodesRequest extends Omit<TaskRequest, 'split'>, JobRequest, NodeOptions {
  /** grids of patching: z, mlp-out, neurons … */
  readonly site: readonly string[];
  /** ap, ap-ig or ig */
  readonly method: string;
  /** undefined: all; neurons need them chosen */
  readonly layers: readonly number[] | undefined;
  readonly by: By;
  /** with `by: span`; undefined: every span of the task */
  readonly spans: readonly string[] | undefined;
  /** how many of the strongest are measured exactly, of each site */
  readonly top: number;
  /** how many of the others, drawn at random */
  readonly sample: number;
}

const DEFAULTS: Omit<NodesRequest, 'task' | 'model'> = {
  out: undefined,
  site: ['z'],
  method: 'ap',
  layers: undefined,
  by: 'all',
  spans: undefined,
  top: 20,
  sample: 20,
  examples: undefined,
  seed: 0,
  bos: undefined,
  runtime: 'auto',
  threads: undefined,
  memory: undefined,
};

export type NodesResult = JobResult<NodesRecord>;

/** Estimates what every node is worth and measures the strongest and a random sample exactly. */
export const nodes = job<NodesRequest, NodesRecord, 'task' | 'model'>({
  name: 'nodes',
  folder: NODES,
  defaults: DEFAULTS,
  needs: ['task', 'model'],
  also: optionKeys(NODE_METHODS),
  complete: (asked) => ({ ...asked, ...optionsOf(asked) }),
  prepare: (asked) => (bench, stages) =>
    findNodes(bench, { asked, method: findNodeMethod(asked.method), options: optionsOf(asked), stages }),
});

const optionsOf = (asked: NodesRequest): Options =>
  readOptions(findNodeMethod(asked.method), { ...asked }, { methods: NODE_METHODS });

interface Doing {
  readonly asked: NodesRequest;
  readonly method: NodeMethod;
  readonly options: Options;
  readonly stages: Stages;
}

async function findNodes(bench: Workbench, doing: Doing): Promise<Found<NodesRecord>> {
  const { stages, method, options } = doing;
  const { task } = await openTask(bench.model, { ...doing.asked, split: false });
  const question = questionOf(bench, task, doing);
  const memory = planNodes(bench.engine, task.examples, question);
  const of = { ...bench, examples: task.examples, total: task.examples.length };
  const attributed = `${method.title(options)}, ${holding(question, memory)}`;
  const attribution = await stages.rehearsed(attributed, of, (engine, watch) =>
    attributeNodes(engine, task.examples, { ...question, ...watch }),
  );
  const measured: MeasuredNode[][] = [];
  for (const estimates of attribution.sites)
    measured.push(await measureSite(bench, task, { ...doing, estimates, attributed }));
  const sidecars = attribution.sites.map(sidecarOf);
  return {
    record: recordOf({ ...doing, task, attribution, measured, sidecars }),
    sidecars: sidecars.filter((one) => one !== null),
    pairs: pairsOf(bench.model, task, { results: { clean: attribution.clean, corrupt: attribution.corrupt } }),
  };
}

/** Exact effects of the strongest of a site's nodes, and of some of the others. */
async function measureSite(
  { engine }: Workbench,
  { examples, metric }: CheckedTask,
  { asked, stages, estimates, attributed }: Doing & { readonly estimates: NodeEstimates; readonly attributed: string },
): Promise<MeasuredNode[]> {
  const { plan } = estimates;
  const { cells, top } = chooseCells(estimates, asked);
  const title = `exact effects of ${cells.length} of ${plan.cells} nodes, ${plan.kind.key}`;
  const of = { engine, examples, total: examples.length, pace: attributed };
  const effects = await stages.rehearsed(title, of, (own, watch) =>
    measureCells(own, examples, { grid: plan, cells, metric, ...watch }),
  );
  return cells.map((cell, i) =>
    measuredOf(estimates, { cell, effects: effects[i] as Float64Array, why: i < top ? 'strongest' : 'random' }),
  );
}

function questionOf(
  { model: { config, tokenizer } }: Workbench,
  { examples, metric }: CheckedTask,
  { asked, method, options, stages: { signal } }: Doing,
): NodesQuestion {
  const { site, by, spans, layers } = asked;
  const tokenText = tokenizer ? (id: number) => tokenizer.tokenText(id) : undefined;
  const grids = site.flatMap((grid) => planGrids(config, examples, { grid, by, spans, layers, tokenText }));
  return { method, options, grids, metric, signal };
}

/** What is attributed to, and what that will hold. */
function holding({ grids }: NodesQuestion, memory: NodeMemory): string {
  const { cells, perExampleBytes, kept, chunkBytes } = memory;
  const values = kept
    ? `${mebibytes(perExampleBytes)} of estimates of every pair`
    : `means alone (estimates of every pair would take ${mebibytes(perExampleBytes)}: raise --memory or choose fewer layers)`;
  const sites = grids.map(({ kind }) => kind.key).join(', ');
  return `${sites}: ${cells} nodes; holds ${values}, and ${mebibytes(chunkBytes)} while it runs`;
}

/** The strongest estimates, then some of the others at random. */
function chooseCells({ mean }: NodeEstimates, { top, sample, seed }: NodesRequest): { cells: number[]; top: number } {
  const strongest = strongestCells([...mean], top);
  const taken = new Set(strongest);
  const others = [...mean.keys()].filter((cell) => !taken.has(cell));
  const drawn = seeded(seed).distinct(others, Math.min(sample, others.length));
  return { cells: [...strongest, ...drawn], top: strongest.length };
}

const measuredOf = (
  { plan, mean }: NodeEstimates,
  { cell, effects, why }: { cell: number; effects: Float64Array; why: MeasuredNode['why'] },
): MeasuredNode => ({
  cell,
  name: cellName(plan.axes, cell),
  why,
  estimate: mean[cell] as number,
  exact: estimateMean(effects),
});

/** How well the estimates of some nodes fit what was measured of them. */
function agreementOf(measured: readonly MeasuredNode[]): Agreement {
  const miss = ({ estimate, exact }: MeasuredNode): number => Math.abs(estimate - exact.mean);
  const worst = measured.reduce<MeasuredNode | null>((most, one) => (most && miss(most) >= miss(one) ? most : one), null); // prettier-ignore
  const [estimates, effects] = [measured.map(({ estimate }) => estimate), measured.map(({ exact }) => exact.mean)];
  return {
    count: measured.length,
    correlation: correlation(estimates, effects),
    rankCorrelation: rankCorrelation(estimates, effects),
    largestMiss: worst && {
      ...{ cell: worst.cell, name: worst.name, estimate: worst.estimate },
      exact: worst.exact.mean,
    },
  };
}

const sidecarOf = ({ plan, perExample }: NodeEstimates): Sidecar | null =>
  perExample && {
    file: `${plan.kind.key}.npy`,
    data: perExample,
    shape: [...plan.axes.map(({ labels }) => labels.length), perExample.length / plan.cells],
    axes: [...plan.axes.map(({ name }) => name), 'example'],
    what: `estimate of every pair, ${plan.kind.title}`,
  };

interface Measured extends Doing {
  readonly task: CheckedTask;
  readonly attribution: NodeAttribution;
  /** of each site */
  readonly measured: readonly (readonly MeasuredNode[])[];
  readonly sidecars: readonly (Sidecar | null)[];
}

function recordOf(found: Measured): Found<NodesRecord>['record'] {
  const { asked, task, method, options, attribution } = found;
  const { top, sample, seed, steps = null, rule = null } = { ...asked, ...(options as NodeOptions) };
  const { clean, corrupt, memory } = attribution;
  return {
    kind: 'node-attribution',
    task: { name: task.name, sha256: task.digest, metric: task.metric, pairs: task.examples.length },
    method: methodRecord(method, options),
    settings: { steps, rule, top, sample, seed },
    clean: estimateMean(clean),
    corrupt: estimateMean(corrupt),
    sites: attribution.sites.map((_, s) => siteRecord(found, s)),
    memory: {
      ...{ cells: memory.cells, perExampleBytes: memory.perExampleBytes, kept: memory.kept },
      ...{ chunkBytes: Math.ceil(memory.chunkBytes), chunkPairs: memory.chunks.perChunk },
    },
  };
}

function siteRecord({ attribution, measured, sidecars }: Measured, s: number): SiteRecord {
  const { plan, mean } = attribution.sites[s] as NodeEstimates;
  const [own, sidecar] = [measured[s] as MeasuredNode[], sidecars[s] ?? null];
  return {
    site: plan.kind.key,
    title: plan.kind.title,
    axes: plan.axes,
    mean: [...mean],
    perExample: sidecar && describeSidecar(sidecar),
    measured: own,
    agreement: { all: agreementOf(own), random: agreementOf(own.filter(({ why }) => why === 'random')) },
  };
}
