/** From a task and a model to a verified circuit and its report. */
import { findLayout, layOut } from '../../circuit/layout.js';
import { circuitGraph } from '../../circuit/graph.js';
import { randomCircuits } from '../../circuit/random.js';
import { countIn } from '../../circuit/prune.js';
import { checkSelection, makeCircuit, selectCircuit, type Selection } from '../../circuit/select.js';
import type { Circuit } from '../../circuit/types.js';
import { findMethod, METHODS, type EdgeMethod } from '../../attribution/edges/index.js';
import { extentOf } from '../../attribution/edges/extent.js';
import { fitMemory } from '../../attribution/edges/memory.js';
import { optionKeys, type Options } from '../../attribution/options.js';
import type { Attribution, Journal, MethodContext } from '../../attribution/edges/types.js';
import { refuse } from '../../errors.js';
import { evaluateCircuit, type Evaluation } from '../../evaluation/evaluate.js';
import type { PositionGroups } from '../../engine/model-run/groups.js';
import { mebibytes } from '../../engine/core/fit.js';
import type { Rehearsal } from '../../engine/core/rehearse.js';
import type { AlternativeMaker } from '../../engine/sources/index.js';
import { sourceFor } from '../../engine/sources/rehearsed.js';
import { REPORT } from '../../report/folders/report.js';
import type { ReportRecord } from '../../report/records/report.js';
import type { CheckedTask, Example } from '../../task/types.js';
import type { Findings } from './findings.js';
import { buildReport } from './record.js';
import { DISCOVER_DEFAULTS, methodOptions, type DiscoverRequest } from './request.js';
import { CAPABILITY, checkCapability } from './capable.js';
import { checkDiagnosis, diagnose } from './diagnose.js';
import { minimise } from './minimise.js';
import { checkNeurons, findFiner, measureExact, strongestOf } from './positions-and-neurons.js';
import { earlyResults } from './interim-results.js';
import { withJournal } from './journal.js';
import { keptBytes, openGroups } from './resolution.js';
import { checkSourceOf, openSource, sourceText } from './source.js';
import { job, type JobOptions, type JobResult } from '../job.js';
import type { Stages } from '../stages.js';
import { openTask, type Workbench } from '../workbench.js';

export type DiscoverOptions = JobOptions;
export type Discovery = JobResult<ReportRecord>;

/**
 * Discovers the circuit of a task in a model, evaluates it on held-out pairs, and writes the report where `out` says.
 * @throws TheveninError for every fault of the input; `discovery/incapable` where the model does not do the task
 */
export const discover = job<DiscoverRequest, ReportRecord, 'task' | 'model'>({
  name: 'discover',
  folder: REPORT,
  defaults: DISCOVER_DEFAULTS,
  needs: ['task', 'model'],
  also: optionKeys(METHODS),
  complete: (asked) => ({ ...asked, ...methodOptions(asked) }),
  prepare: (asked) => async (bench, stages) => buildReport(await find(bench, asked, stages)),
});

const pick = (task: CheckedTask, split: 'discover' | 'choose' | 'report'): Example[] =>
  task.splits[split].map((place) => task.examples[place] as Example);

async function find(bench: Workbench, request: DiscoverRequest, stages: Stages): Promise<Findings> {
  const method = findMethod(request.method);
  const { file, task } = await openTask(bench.model, request);
  const { metric } = task;
  const options = method.adapt?.(methodOptions(request), { metric }) ?? methodOptions(request);
  method.check?.({ metric, options });
  checkRequest(request, method);
  checkNeurons(bench, request, method);
  checkDiagnosis(request);
  const groups = openGroups(bench, task, { method, asked: request });
  const examples = pick(task, 'discover');
  const kept = keptBytes(bench, { method, asked: request, examples: examples.length, groups });
  checkSourceOf(bench, task, request);
  const on = { method, options, groups, stages, keepsExamples: request.perExample, kept };
  const { capability, source, ablation, attribution, memory } = await journalled(
    bench,
    { request, task, examples, groups },
    (journal) => findScores(bench, task, { ...on, request, journal }),
  );
  const chosen = choose(bench, attribution, request);
  const { minimal, circuit } = await minimise(bench, task, {
    circuit: chosen,
    within: request.minimal,
    source,
    stages,
  });
  const strongest = strongestOf(attribution.scores.mean, request.exactEdges);
  const whole = strongest.map((edge) => ({ edge }));
  const work = { request, method, options, groups, source, stages, examples };
  const effects = await measureExact(bench, task, { ...work, cuts: whole, what: 'edges' });
  const finer = await findFiner(bench, task, { ...work, attribution });
  const missed = await diagnose(bench, task, { ...work, strongest });
  const { randomCircuits: count, seed } = request;
  const random = randomCircuits(bench.engine.universe, { edgeCount: circuit.edgeCount, count, seed });
  const evaluated = await evaluate(bench, task, { circuits: [circuit, ...random], source, stages });
  const graph = circuitGraph(bench.engine.universe, { scores: attribution.scores.mean, circuit });
  const layout = layOut(graph, { key: request.layout, seed: request.seed });
  return {
    bench,
    request,
    task,
    file,
    method,
    options,
    capability,
    ablation,
    attribution,
    memory,
    circuit,
    strongest,
    effects,
    finer,
    missed,
    random,
    evaluated,
    minimal,
    layout,
    stages,
  };
}

/**
 * What makes no sense with any model or task, before anything is computed.
 * @throws TheveninError circuit/selection, circuit/layout, cli/usage
 */
function checkRequest(request: DiscoverRequest, method: EdgeMethod): void {
  checkSelection(selectionOf(request));
  findLayout(request.layout);
  if (request.journal !== undefined && method.resumes !== true)
    refuse('cli/usage', `--journal is for methods that can go on from one; ${method.key} cannot`);
}

/** What the scores are asked for. */
function selectionOf({ select: rule, by, threshold, edges }: DiscoverRequest): Selection {
  const least = (): number => threshold ?? refuse('cli/usage', '--select threshold needs --threshold');
  return { rule, by, requested: rule === 'threshold' ? least() : edges };
}

/** What is asked of the model only when it does the task. */
async function findScores(
  bench: Workbench,
  task: CheckedTask,
  { request, stages, ...given }: Omit<Parameters<typeof score>[2], 'source'> & { request: DiscoverRequest },
) {
  stages.ifStopped(adviceFor(given.method, request.journal));
  const capability = await checkCapability(bench, task, { force: request.force, stages });
  const { maker: source, record: ablation } = await openSource(bench, task, { request, stages });
  const scored = await score(bench, task, { ...given, source, stages });
  stages.ifStopped(undefined);
  return { capability, source, ablation, ...scored };
}

/** How a method that was stopped goes on. */
function adviceFor({ key, resumes }: EdgeMethod, journal: string | undefined): string | undefined {
  if (resumes !== true) return undefined;
  return journal === undefined
    ? `--journal FILE keeps what ${key} has measured, and the next run goes on from there`
    : `what ${key} has measured is in ${journal}: the same command goes on from there`;
}

/** With the journal that was asked for, if one was: it is read, and taken, before anything is computed. */
const journalled = <T>(
  bench: Workbench,
  {
    request,
    ...of
  }: { request: DiscoverRequest; task: CheckedTask; examples: readonly Example[]; groups: PositionGroups | undefined },
  work: (journal?: Journal) => Promise<T>,
): Promise<T> =>
  request.journal === undefined
    ? work()
    : withJournal(request.journal, { ...bench, of: { ...of, source: sourceText(request) } }, work);

/** The circuit that a search found, or the edges that the scores select. */
function choose(
  { engine: { universe } }: Workbench,
  { scores, found }: Attribution,
  request: DiscoverRequest,
): Circuit {
  if (found) {
    const requested = countIn(found.edges);
    return makeCircuit(universe, found.edges, { rule: scores.method, by: found.by, requested, tiesLeftOut: 0 });
  }
  return selectCircuit(universe, scores.mean, selectionOf(request));
}

/** Scores every edge on the `discover` split, telling beforehand what that will cost. */
async function score(
  bench: Workbench,
  task: CheckedTask,
  { method, options, source, journal, stages, kept, ...keeps }: Scoring,
): Promise<{ attribution: Attribution; memory: Rehearsal }> {
  const examples = pick(task, 'discover');
  const { forwards, backwards } = method.cost(options, extentOf(bench.engine, examples));
  const space = kept === 0 ? '' : `; ${mebibytes(kept)} for the scores of every pair`;
  return stages.run(method.title(options), examples.length, async (report) => {
    const { signal } = stages;
    const { engine } = bench;
    const context = { engine, examples, metric: task.metric, options, source, journal, signal, ...keeps };
    const memory = await fitMemory(method, { ...context, onProgress: () => undefined });
    const estimate = stages.describe(memory, CAPABILITY);
    const note = `${forwards} forward + ${backwards} backward passes per pair, ${estimate}${space}`;
    report(0, note);
    const early = earlyResults(engine.universe, keeps.groups);
    const attribution = await method.run({
      ...context,
      engine: engine.within(memory.limits),
      onResults: (effects) => early.take(effects),
      onProgress: (done, total) => report(done, early.describe() ?? note, total),
    });
    return { attribution, memory };
  });
}

interface Scoring extends Pick<MethodContext, 'groups' | 'keepsExamples'> {
  readonly kept: number;
  readonly method: EdgeMethod;
  readonly options: Options;
  readonly source: AlternativeMaker | undefined;
  readonly journal: Journal | undefined;
  readonly stages: Stages;
}

function evaluate(
  bench: Workbench,
  task: CheckedTask,
  { circuits, source, stages }: { circuits: readonly Circuit[]; source: AlternativeMaker | undefined; stages: Stages },
): Promise<Evaluation> {
  const examples = pick(task, 'report');
  const [circuit, ...random] = circuits.map(({ edges }) => edges);
  const title = `held-out evaluation, ${random.length} random circuits`;
  const of = { engine: bench.engine, examples, total: examples.length, pace: CAPABILITY };
  return stages.rehearsed(title, of, async (engine, watch) =>
    evaluateCircuit(engine, examples, circuit as Uint8Array, {
      metric: task.metric,
      random,
      source: await sourceFor(engine, source),
      ...watch,
    }),
  );
}
