/** A circuit, wherever it comes from, judged by every criterion on held-out pairs of a task. */
import { countIn, prune } from '../../circuit/prune.js';
import { randomCircuits } from '../../circuit/random.js';
import type { SourceKind } from '../../engine/sources/kinds.js';
import { evaluateCircuit } from '../../evaluation/evaluate.js';
import { EVALUATION } from '../../report/folders/evaluation.js';
import type { CircuitEvaluationRecord } from '../../report/records/evaluation.js';
import type { ReportRecord } from '../../report/records/report.js';
import type { Example } from '../../task/types.js';
import { checkCapability } from '../discover/capable.js';
import { checkSourceOf, openSource } from '../discover/source.js';
import { evaluationRecord } from '../evaluation-record.js';
import { job, type Found, type JobRequest, type JobResult } from '../job.js';
import type { Stages } from '../stages.js';
import { openTask, type TaskRequest, type Workbench } from '../workbench.js';
import { openCircuit, requireSameGraph, type OpenedCircuit } from './open.js';

/** What `thevenin evaluate` is asked. Only circuit, task and model have no default. */
export interface EvaluateRequest extends Omit<TaskRequest, 'seed'>, JobRequest {
  /** a run, a reference circuit by its name, or a file in the exchange format */
  readonly circuit: string;
  /** what edges outside the circuit read */
  readonly source: SourceKind;
  /** of the splits and of random circuits; undefined: that of the run which found the circuit, or 0 */
  readonly seed: number | undefined;
  readonly randomCircuits: number;
  /** go on although the model does not do the task */
  readonly force: boolean;
}

const DEFAULTS: Omit<EvaluateRequest, 'circuit' | 'task' | 'model'> = {
  out: undefined,
  source: 'other-prompt',
  examples: undefined,
  seed: undefined,
  bos: undefined,
  split: true,
  randomCircuits: 20,
  force: false,
  runtime: 'auto',
  threads: undefined,
  memory: undefined,
};

export type EvaluateResult = JobResult<CircuitEvaluationRecord>;

/**
 * Evaluates a circuit on the report split: where the circuit is of a run on the same task, with that run's pairs and seed, so that
 * they are pairs it was not found on.
 * @throws TheveninError circuit/architecture: it is of another graph than the model's; discovery/incapable; what opening throws
 */
export const evaluate = job<EvaluateRequest, CircuitEvaluationRecord, 'circuit' | 'task' | 'model'>({
  name: 'evaluate',
  folder: EVALUATION,
  defaults: DEFAULTS,
  needs: ['circuit', 'task', 'model'],
  prepare: async (asked) => {
    const circuit = await openCircuit(asked.circuit);
    const settled = { ...asked, ...splitsOf(asked, circuit.run) };
    return (bench, stages) => judge(bench, circuit, { asked: settled, stages });
  },
});

/** As the run that found the circuit had them. */
function splitsOf(asked: EvaluateRequest, run: ReportRecord | null): { seed: number; examples: number | undefined } {
  const own = run?.request?.['task'] === asked.task ? run.request : {};
  const number = (value: unknown): number | undefined => (typeof value === 'number' ? value : undefined);
  return {
    seed: asked.seed ?? number(own['seed']) ?? 0,
    examples: asked.examples ?? number(own['examples']),
  };
}

type Settled = Omit<EvaluateRequest, 'seed'> & { readonly seed: number };

async function judge(
  bench: Workbench,
  circuit: OpenedCircuit,
  { asked, stages }: { asked: Settled; stages: Stages },
): Promise<Found<CircuitEvaluationRecord>> {
  const { engine } = bench;
  const what = `${asked.circuit} is of another graph than ${bench.model.config.name}`;
  requireSameGraph(circuit.universe, engine.universe, what);
  const { task } = await openTask(bench.model, asked);
  const request = { source: asked.source, seed: asked.seed, noiseScale: 1, holds: 'kl' } as const;
  checkSourceOf(bench, task, request);
  const capability = await checkCapability(bench, task, { force: asked.force, stages });
  const { maker: source } = await openSource(bench, task, { request, stages });
  const edges = prune(engine.universe, circuit.edges);
  const drawn = { edgeCount: countIn(edges), count: asked.randomCircuits, seed: asked.seed };
  const random = randomCircuits(engine.universe, drawn);
  const examples = task.splits.report.map((place) => task.examples[place] as Example);
  const found = await stages.run(`evaluation, ${random.length} random circuits`, examples.length, (report) =>
    evaluateCircuit(engine, examples, edges, {
      metric: task.metric,
      random: random.map((one) => one.edges),
      source,
      signal: stages.signal,
      onProgress: (done) => report(done),
    }),
  );
  const { perExample: _, ...capable } = capability;
  const { whole, seed } = task.splits;
  const record: Found<CircuitEvaluationRecord>['record'] = {
    kind: 'evaluation',
    task: {
      name: task.name,
      sha256: task.digest,
      metric: task.metric,
      pairs: task.examples.length,
      splits: { report: examples.length, whole, seed },
    },
    circuit: {
      name: circuit.name,
      kind: circuit.kind,
      edges: [...edges.keys()].filter((edge) => edges[edge] === 1).map((edge) => engine.universe.edgeName(edge)),
      graphEdges: engine.universe.edgeCount,
    },
    settings: { ablation: asked.source, seed: asked.seed, forced: asked.force && !capable.doesTask },
    capability: capable,
    evaluation: {
      split: whole ? 'all' : 'report',
      ...evaluationRecord(found, { edgeCount: random[0]?.edgeCount ?? 0, seed: asked.seed }),
    },
  };
  return { record, sidecars: [] };
}
