/** Findings → report record and sidecars. */
import { basename } from 'node:path';
import { nodesIn } from '../../circuit/compare.js';
import type { Scores } from '../../circuit/types.js';
import { methodRecord } from '../../attribution/method.js';
import type { Options } from '../../attribution/options.js';
import { estimateMean, meanOf } from '../../evaluation/statistics/intervals.js';
import type { ReportEdge, ReportRecord } from '../../report/records/report.js';
import { describeSidecar } from '../../report/sidecar.js';
import { sidecarsOf } from './sidecars.js';
import { evaluationRecord } from '../evaluation-record.js';
import type { Found } from '../job.js';
import { pairsOf, type Pairs } from '../pairs.js';
import type { Findings } from './findings.js';
import { packageVersion } from '../../package.js';

const TOP_EDGES = 20;

export async function buildReport(findings: Findings): Promise<Found<ReportRecord>> {
  const sidecars = sidecarsOf(findings);
  const { bench, request, method, options, stages, capability, layout } = findings;
  const { perExample: _, ...capable } = capability;
  const record: Found<ReportRecord>['record'] = {
    versions: {
      thevenin: packageVersion(),
      node: process.version,
      runtime: {
        key: bench.runtime.info.key,
        version: versionIn(bench.runtime.info.title),
        detail: bench.runtime.info.title,
      },
    },
    model: await modelOf(findings),
    task: taskOf(findings),
    settings: {
      method: methodRecord(method, options),
      direction: method.direction,
      sign: 'positive = the edge helps the task',
      riemann: riemannOf(options),
      ablation: request.source,
      ...findings.ablation,
      selection: {
        rule: findings.circuit.selection.rule,
        by: findings.circuit.selection.by,
        requested: findings.circuit.selection.requested,
      },
      seed: request.seed,
      forced: request.force && !capable.doesTask,
    },
    capability: capable,
    chunkPlan: chunkPlanOf(findings),
    graph: graphOf(findings),
    circuit: circuitOf(findings),
    search: findings.attribution.found?.search ?? null,
    evaluation: evaluationOf(findings),
    minimal: minimalOf(findings),
    missed: missedOf(findings),
    resolved: resolvedOf(findings),
    neurons: neuronsOf(findings),
    topEdges: findings.strongest
      .slice(0, TOP_EDGES)
      .map((edge) => ({ ...edgeOf(findings, edge), inCircuit: findings.circuit.edges[edge] === 1 })),
    layout: {
      ...layout,
      positions: Object.fromEntries(Object.entries(layout.positions).map(([node, [x, y]]) => [node, [x, y]])),
    },
    cost: costOf(findings),
    timings: {
      startedAt: stages.startedAt.toISOString(),
      totalSeconds: stages.totalSeconds,
      stages: timesOf(findings),
    },
    sidecars: sidecars.map(describeSidecar),
  };
  return { record, sidecars, pairs: pairsIn(findings) };
}

/** Every pair's metric; that of the circuit where it was evaluated. */
function pairsIn({ bench: { model }, task, capability: { perExample }, evaluated }: Findings): Pairs {
  const circuit = new Float64Array(task.examples.length).fill(NaN);
  task.splits.report.forEach((place, i) => (circuit[place] = evaluated.metrics.circuits[0]![i] as number));
  return pairsOf(model, task, { results: { clean: perExample.clean, corrupt: perExample.corrupt, circuit } });
}

/** Of a method that integrates: where its points lie. */
const riemannOf = ({ rule, steps }: Options): ReportRecord['settings']['riemann'] =>
  typeof rule === 'string' && typeof steps === 'number' ? { rule, steps } : null;

const versionIn = (title: string): string => /\d+\.\d+\.\d+\S*?(?=,|$|\s)/.exec(title)?.[0] ?? '';

async function modelOf({ bench: { model } }: Findings): Promise<ReportRecord['model']> {
  const { name, architecture, ...shape } = model.config;
  return {
    name: name === '' ? basename(model.source) : name,
    architecture,
    config: shape,
    weightsSha256: await model.weights.digest(),
    tokenizerSha256: model.tokenizer?.digest ?? null,
  };
}

function taskOf({ task, file }: Findings): ReportRecord['task'] {
  const { splits, examples } = task;
  const sizes = { discover: splits.discover.length, choose: splits.choose.length, report: splits.report.length };
  return {
    name: task.name,
    metric: task.metric,
    sha256: task.digest,
    provenance: task.provenance,
    bos: task.bos,
    pairs: examples.length,
    splits: { ...sizes, whole: splits.whole, seed: splits.seed },
    dropped: droppedOf(file),
  };
}

function droppedOf({ provenance }: Findings['file']): ReportRecord['task']['dropped'] {
  if (provenance === undefined || typeof provenance === 'string') return [];
  return (provenance.dropped ?? []).map(({ reason, items, count }) => ({ reason, items: items ?? [`${count} rows`] }));
}

function chunkPlanOf({ bench, attribution, memory, method, options }: Findings): ReportRecord['chunkPlan'] {
  const { perChunk, total } = attribution.plan;
  const chunks = perChunk === 0 ? 0 : Math.ceil(total / perChunk);
  return {
    memoryBudgetBytes: Math.floor(bench.engine.options.memoryBytes),
    stages: [{ stage: method.title(options), examplesPerChunk: perChunk, chunks, estimatedBytes: memory.bytes }],
  };
}

function graphOf({ bench: { engine } }: Findings): ReportRecord['graph'] {
  const { shape, senders, readers, edgeCount } = engine.universe;
  return { shape, senders: senders.length, readers: readers.length, edges: edgeCount };
}

/** One edge's score with its interval over pairs, and its exact effect where that was measured. */
function edgeOf(
  { bench: { engine }, attribution: { scores }, strongest, effects }: Findings,
  edge: number,
): ReportEdge {
  const { low, high } = intervalOf(scores, edge);
  const measured = effects[strongest.indexOf(edge)];
  return {
    index: edge,
    name: engine.universe.edgeName(edge),
    score: scores.mean[edge] as number,
    low,
    high,
    exact: measured ? meanOf(measured) : null,
  };
}

function intervalOf(
  { perExample, exampleCount, mean }: Scores,
  edge: number,
): { low: number | null; high: number | null } {
  if (!perExample) return { low: null, high: null };
  return estimateMean(
    Float64Array.from({ length: exampleCount }, (_, i) => perExample[i * mean.length + edge] as number),
  );
}

function circuitOf(findings: Findings): ReportRecord['circuit'] {
  const { circuit, bench } = findings;
  const { universe } = bench.engine;
  const present = [...circuit.edges.keys()].filter((edge) => circuit.edges[edge] === 1);
  const inside = nodesIn(universe, circuit.edges);
  return {
    chosen: circuit.chosenCount,
    edgeCount: circuit.edgeCount,
    tiesLeftOut: circuit.selection.tiesLeftOut,
    edges: present.map((edge) => edgeOf(findings, edge)),
    nodes: [...universe.senders.map(({ name }) => name).filter((_, node) => inside[node] === 1), 'logits'],
  };
}

function evaluationOf({ evaluated, random, request, task }: Findings): ReportRecord['evaluation'] {
  const split = task.splits.whole ? 'all' : 'report';
  return { split, ...evaluationRecord(evaluated, { edgeCount: random[0]?.edgeCount ?? 0, seed: request.seed }) };
}

function minimalOf({ minimal, bench: { engine } }: Findings): ReportRecord['minimal'] {
  if (!minimal) return null;
  const present = [...minimal.edges.keys()].filter((edge) => minimal.edges[edge] === 1);
  return {
    target: `|1 − faithfulness| ≤ ${minimal.within} on the choose split`,
    within: minimal.within,
    met: minimal.met,
    distance: Number.isFinite(minimal.distance) ? minimal.distance : null,
    from: minimal.from,
    edgeCount: minimal.edgeCount,
    edges: present.map((edge) => engine.universe.edgeName(edge)),
    faithfulness: minimal.faithfulness,
    evaluations: minimal.evaluations,
  };
}

function missedOf({ missed, bench: { engine } }: Findings): ReportRecord['missed'] {
  if (!missed) return null;
  const finite = (bound: number): number | null => (Number.isFinite(bound) ? bound : null);
  return {
    ...missed,
    bound: finite(missed.bound),
    suspects: missed.suspects.map(({ edge, estimate, bound, exact }) => ({
      ...{ index: edge, name: engine.universe.edgeName(edge), estimate, bound: finite(bound), exact },
    })),
  };
}

/** The strongest edges at groups of positions, measured as well as estimated. */
function resolvedOf({ attribution: { resolved }, finer: { places }, request }: Findings): ReportRecord['resolved'] {
  if (!resolved || !places || request.resolution === 'all') return null;
  return { places: request.resolution, groups: [...resolved.names], top: places };
}

function neuronsOf({ finer: { neurons } }: Findings): ReportRecord['neurons'] {
  return neurons && { layers: neurons.scores.map(({ layer }) => layer), top: neurons.strongest };
}

const timesOf = ({ stages: { finished } }: Findings): ReportRecord['timings']['stages'] =>
  finished.map(({ stage, seconds, counts }) => ({ stage, seconds, kernelSeconds: counts.kernelSeconds }));

/** What the engine counted, of all stages and of each. */
function costOf({ stages: { finished } }: Findings): ReportRecord['cost'] {
  const costs = finished.map(({ stage, counts }) => ({
    stage,
    tokens: Math.round(counts.layerTokens),
    forwardPasses: Math.round(counts.forwardPasses),
    backwardPasses: Math.round(counts.backwardPasses),
    kernelRuns: counts.kernelRuns,
  }));
  const sum = (of: 'tokens' | 'forwardPasses' | 'backwardPasses'): number =>
    costs.reduce((all, one) => all + one[of], 0);
  return {
    tokens: sum('tokens'),
    forwardPasses: sum('forwardPasses'),
    backwardPasses: sum('backwardPasses'),
    stages: costs,
  };
}
