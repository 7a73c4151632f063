/** What the nodes of a model are worth to a task: estimates from gradients, exact effects of the strongest and of a sample. */
import { basename } from 'node:path';
import type { RiemannRule } from '../../engine/gradients/riemann.js';
import { correlation, estimateMean, rankCorrelation } from '../../evaluation/statistics/intervals.js';
import { findEstimator, type Estimator } from '../../attribution/nodes/estimators.js';
import {
  attributeNodes,
  measureCells,
  planNodes,
  type NodeAttribution,
  type NodeEstimates,
  type NodeMemory,
  type NodesQuestion,
} from '../../attribution/nodes/nodes.js';
import { planGrids } from '../../interventions/patching/plan.js';
import type { By } from '../../text/divide.js';
import { packageVersion } from '../../package.js';
import type { ProgressListener } from '../../progress.js';
import { recordFile } from '../../report/check.js';
import { encodeNpy } from '../../report/formats/npy.js';
import { drawNodes, nodesPage, nodesText } from '../../report/pages/nodes.js';
import {
  NODES_SCHEMA,
  type Agreement,
  type MeasuredNode,
  type NodesRecord,
  type SiteRecord,
} from '../../report/records/nodes.js';
import { cellName, strongestCells } from '../../report/records/patching.js';
import { describeSidecar, type Sidecar } from '../../report/sidecar.js';
import { writeFiles } from '../../report/write.js';
import { seeded } from '../../task/random.js';
import type { CheckedTask } from '../../task/types.js';
import { mebibytes } from '../../attribution/edges/memory.js';
import { Stages } from '../stages.js';
import { openTask, withWorkbench, type TaskRequest, type Workbench } from '../workbench.js';

/** What `thevenin nodes` is asked. Only task and model have no default. */
export interface NodesRequest extends Omit<TaskRequest, 'split'> {
  readonly model: string;
  /** folder of the result; undefined: nothing is written */
  readonly out: string | undefined;
  /** grids of patching: z, mlp-out, neurons … */
  readonly site: readonly string[];
  /** ap, ap-ig or ig */
  readonly method: string;
  readonly steps: number;
  readonly rule: RiemannRule;
  /** undefined: all; neurons need them chosen */
  readonly layers: readonly number[] | undefined;
  readonly by: By;
  /** with `by: span`; undefined: every span of the task */
  readonly spans: readonly string[] | undefined;
  /** how many of the strongest are measured exactly, of each site */
  readonly top: number;
  /** how many of the others, drawn at random */
  readonly sample: number;
  readonly runtime: string;
  readonly threads: number | undefined;
  readonly memory: number | undefined;
}

const DEFAULTS: Omit<NodesRequest, 'task' | 'model'> = {
  out: undefined,
  site: ['z'],
  method: 'ap',
  steps: 5,
  rule: 'midpoint',
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

export interface NodesResult {
  readonly record: NodesRecord;
  readonly sidecars: readonly Sidecar[];
  /** files written, the page first; empty without `out` */
  readonly written: readonly string[];
}

/**
 * Estimates what every node is worth and measures the strongest and a random sample exactly.
 * @throws TheveninError for every fault of the input, before any compute
 */
export async function nodes(
  request: Partial<NodesRequest> & Pick<NodesRequest, 'task' | 'model'>,
  options: { readonly signal?: AbortSignal; readonly onProgress?: ProgressListener } = {},
): Promise<NodesResult> {
  const asked: NodesRequest = { ...DEFAULTS, ...request };
  const estimator = findEstimator(asked.method);
  const stages = new Stages(options.onProgress ?? (() => undefined), options.signal ?? new AbortController().signal);
  return withWorkbench(asked, async (bench) => {
    const { task } = await openTask(bench.model, { ...asked, split: false });
    const question = questionOf(bench, task, { asked, estimator });
    const memory = planNodes(bench.engine, task.examples, question);
    const pairs = task.examples.length;
    const attribution = await stages.run(stageTitle(question, memory), pairs, (report) =>
      attributeNodes(bench.engine, task.examples, {
        ...question,
        onProgress: (done) => report(done),
        signal: stages.signal,
      }),
    );
    const measured: MeasuredNode[][] = [];
    for (const estimates of attribution.sites) {
      const chosen = chooseCells(estimates, asked);
      const title = `exact effects of ${chosen.cells.length} of ${estimates.plan.cells} nodes, ${estimates.plan.kind.key}`;
      const effects = await stages.run(title, pairs, (report) =>
        measureCells(bench.engine, task.examples, {
          ...{ grid: estimates.plan, cells: chosen.cells, metric: task.metric },
          ...{ onProgress: (done) => report(done), signal: stages.signal },
        }),
      );
      measured.push(chosen.cells.map((cell, i) => measuredOf(estimates, { cell, effects: effects[i]!, why: i < chosen.top ? 'strongest' : 'random' }))); // prettier-ignore
    }
    const sidecars = attribution.sites.map(sidecarOf);
    const record = await recordOf(bench, { asked, task, estimator, attribution, measured, sidecars, stages });
    stages.signal.throwIfAborted();
    const kept = sidecars.filter((one) => one !== null);
    return { record, sidecars: kept, written: asked.out === undefined ? [] : await writeAll(asked.out, record, kept) };
  });
}

function questionOf(
  { model: { config, tokenizer } }: Workbench,
  { examples, metric }: CheckedTask,
  { asked, estimator }: { asked: NodesRequest; estimator: Estimator },
): NodesQuestion {
  const { site, by, spans, layers, steps, rule } = asked;
  const tokenText = tokenizer ? (id: number) => tokenizer.tokenText(id) : undefined;
  const grids = site.flatMap((grid) => planGrids(config, examples, { grid, by, spans, layers, tokenText }));
  return { grids, estimator, setting: { steps, rule }, metric };
}

/** What is done, and what it will hold. */
function stageTitle({ estimator, setting, grids }: NodesQuestion, memory: NodeMemory): string {
  const { cells, perExampleBytes, kept, chunkBytes } = memory;
  const values = kept
    ? `${mebibytes(perExampleBytes)} of estimates of every pair`
    : `means alone (estimates of every pair would take ${mebibytes(perExampleBytes)}: raise --memory or choose fewer layers)`;
  const sites = grids.map(({ kind }) => kind.key).join(', ');
  return `${estimator.title(setting)}, ${sites}: ${cells} nodes; holds ${values}, and ${mebibytes(chunkBytes)} while it runs`;
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

interface Found {
  readonly asked: NodesRequest;
  readonly task: CheckedTask;
  readonly estimator: Estimator;
  readonly attribution: NodeAttribution;
  /** of each site */
  readonly measured: readonly (readonly MeasuredNode[])[];
  readonly sidecars: readonly (Sidecar | null)[];
  readonly stages: Stages;
}

async function recordOf({ model, runtime }: Workbench, found: Found): Promise<NodesRecord> {
  const { asked, task, estimator, attribution, stages } = found;
  const { top, sample, seed, steps, rule } = asked;
  const { clean, corrupt, memory } = attribution;
  const integrates = estimator.integrates;
  return {
    schemaVersion: 1,
    kind: 'node-attribution',
    versions: { thevenin: packageVersion(), node: process.version, runtime: runtime.info.title },
    model: {
      name: model.config.name === '' ? basename(model.source) : model.config.name,
      weightsSha256: await model.weights.digest(),
    },
    task: { name: task.name, sha256: task.digest, metric: task.metric, pairs: task.examples.length },
    method: { key: estimator.key, title: estimator.title({ steps, rule }), reference: estimator.reference },
    settings: { steps: integrates ? steps : null, rule: integrates ? rule : null, top, sample, seed },
    clean: estimateMean(clean),
    corrupt: estimateMean(corrupt),
    sites: attribution.sites.map((_, s) => siteRecord(found, s)),
    memory: {
      ...{ cells: memory.cells, perExampleBytes: memory.perExampleBytes, kept: memory.kept },
      ...{ chunkBytes: Math.ceil(memory.chunkBytes), chunkPairs: memory.chunks.perChunk },
    },
    timings: { startedAt: stages.startedAt.toISOString(), totalSeconds: stages.totalSeconds },
  };
}

function siteRecord({ attribution, measured, sidecars }: Found, s: number): SiteRecord {
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

/** The record last, so that a folder with a record is complete. */
const writeAll = (out: string, record: NodesRecord, sidecars: readonly Sidecar[]): Promise<string[]> =>
  writeFiles(out, [
    { file: 'nodes.html', content: nodesPage(record) },
    { file: 'nodes.md', content: nodesText(record) },
    ...record.sites.map((site) => ({ file: `${site.site}.svg`, content: drawNodes(record, site) })),
    ...sidecars.map(({ file, data, shape }) => ({ file, content: encodeNpy(data, shape) })),
    recordFile('nodes.json', record, NODES_SCHEMA),
  ]);
