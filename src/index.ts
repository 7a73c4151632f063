/**
 * The library: what the command line does, and the parts it is made of. Whole jobs import what they are made of when they are
 * called, so that importing the library takes no longer than starting the command line.
 */
const later =
  <Given extends unknown[], Result>(load: () => Promise<(...given: Given) => Promise<Result>>) =>
  async (...given: Given): Promise<Result> =>
    (await load())(...given);

/**
 * Discovers the circuit of a task in a model, evaluates it on held-out pairs, and writes the report where `out` says.
 *
 * Scores are in units of the task's metric, means over pairs, positive where an edge helps; `faithfulness` is a share of the gap
 * between clean and corrupt prompts. Cost: that of the method (`docs/methods.md`), beside a forward pass per prompt to see
 * whether the model does the task and one per circuit evaluated.
 *
 * @throws TheveninError with a stable `code` for every fault of the input; `discovery/incapable`: the model does not do the task
 * @example
 * ```ts
 * import { discover } from 'thevenin';
 *
 * const { record } = await discover({ task: 'ioi', model: 'ioi', method: 'eap', edges: 50, examples: 24 });
 * console.log(record.evaluation.faithfulness); // 1: as good as the model on pairs it was not found on; 0: as bad as the corrupt run
 * for (const { name, score, exact } of record.topEdges) console.log(name, score, exact);
 * ```
 */
export const discover = later(async () => (await import('./jobs/discover/discover.js')).discover);
/** Judges a circuit, wherever it comes from, by every criterion on held-out pairs of a task. */
export const evaluate = later(async () => (await import('./jobs/circuits/evaluate.js')).evaluate);
/** A data set or a circuit of another library as a task file or as a circuit in the exchange format. */
export const importFile = later(async () => (await import('./jobs/circuits/import.js')).importFile);
/** How alike two circuits are, in edges and in nodes. */
export const compare = later(async () => (await import('./jobs/circuits/compare.js')).compare);
/** Causal tracing of facts (ROME). */
export const causalTrace = later(async () => (await import('./jobs/interventions/causal-trace.js')).causalTrace);
/** Activation patching grids, path patching and attention knock-out. */
export const patch = later(async () => (await import('./jobs/interventions/patch.js')).patch);
/** What every head, neuron or layer is worth, estimated from gradients, beside exact effects. */
export const nodes = later(async () => (await import('./jobs/attribution/nodes.js')).nodes);
/** The most probable next tokens after a prompt. */
export const predict = later(async () => (await import('./jobs/inspect/predict.js')).predict);
/** Causal scrubbing: how much of what a model does a hypothesis explains. */
export const scrub = later(async () => (await import('./jobs/interventions/scrub.js')).scrub);
/** A value read from a file as the hypothesis that it must be. @throws TheveninError interventions/hypothesis */
export const parseHypothesis = later(async () => {
  const { parseHypothesis: parse } = await import('./interventions/scrubbing/schema.js');
  return (...given: Parameters<typeof parse>) => Promise.resolve(parse(...given));
});
/** What the prompt's tokens and spans contribute. */
export const tokens = later(async () => (await import('./jobs/attribution/tokens.js')).tokens);
/** A vector added at a site, dose by dose, and what the model then writes. */
export const steer = later(async () => (await import('./jobs/interventions/steer.js')).steer);
/** Every page, picture and table of a run drawn again, from its record and data files alone. */
export const render = later(async () => (await import('./jobs/records/render.js')).render);
/** Runs again what a record says was asked, and says how what comes out differs from it. */
export const rerun = later(async () => (await import('./jobs/records/rerun.js')).rerun);
/** The strongest paths into a receiver, hop by hop. */
export const trace = later(async () => (await import('./jobs/interventions/trace.js')).trace);
/** Whether a task can be run on a model: what its linter finds, before any compute. */
export const validate = later(async () => (await import('./jobs/inspect/validate.js')).validate);
/** A shipped task by its name, or a task file by its path. */
export const loadTask = later(async () => (await import('./task/files/load.js')).loadTask);
/** A task with its pairs, made for the model at hand where it has a generator. */
export const resolveTask = later(async () => (await import('./task/files/load.js')).resolveTask);

export type { Discovery, DiscoverOptions } from './jobs/discover/discover.js';
export type { EvaluateRequest, EvaluateResult } from './jobs/circuits/evaluate.js';
export type { Imported, ImportRequest } from './jobs/circuits/import.js';
export type { Comparison } from './jobs/circuits/compare.js';
export type { CausalTrace, CausalTraceRequest } from './jobs/interventions/causal-trace.js';
export type { NodesRequest, NodesResult } from './jobs/attribution/nodes.js';
export type { PatchRequest, PatchResult } from './jobs/interventions/patch.js';
export type { ValidateRequest } from './jobs/inspect/validate.js';
export type { Prediction, PredictRequest } from './jobs/inspect/predict.js';
export type { ScrubRequest, ScrubResult } from './jobs/interventions/scrub.js';
export type { SteerRequest, SteerResult } from './jobs/interventions/steer.js';
export type { TokensRequest, TokensResult } from './jobs/attribution/tokens.js';
export type { TraceRequest } from './jobs/interventions/trace.js';
export type { DiscoverRequest } from './jobs/discover/request.js';
export { loadModel } from './model/load.js';
export { createRuntime } from './runtime/index.js';
export { Engine } from './engine/core/engine.js';
export { planBatches } from './engine/core/batches.js';
export { withSession, type Session } from './engine/questions/session.js';
export type { Question, Site, SiteKind } from './engine/questions/questions.js';
export { makeSource, SOURCES } from './engine/sources/index.js';
export { learnConstants, type ConstantRequest } from './attribution/edges/constants/learn.js';
export { edgeGradients } from './engine/gradients/gradient.js';
export { GRIDS } from './interventions/patching/grids.js';
export { searchHops, type Hop, type HopOptions } from './interventions/patching/hops.js';
export { planKnockout, type KnockoutRequest } from './interventions/patching/knockouts.js';
export { planPath, type PathRequest } from './interventions/patching/paths.js';
export { planGrids, type GridRequest } from './interventions/patching/plan.js';
export { runGrids, type Patching, type PatchingGrid } from './interventions/patching/patching.js';
export { layOut, type Hypothesis } from './interventions/scrubbing/hypothesis.js';
export type { HypothesisFile } from './interventions/scrubbing/schema.js';
export { planScrub, scrub as scrubPlan, type Scrubbing, type ScrubPlan } from './interventions/scrubbing/scrub.js';
export {
  attributeNodes,
  findNodeMethod,
  NODE_METHODS,
  planNodes,
  type NodesQuestion,
} from './attribution/nodes/index.js';
export { measureCells } from './attribution/nodes/nodes.js';
export type { NodeAttribution, NodeMethod } from './attribution/nodes/types.js';
export { pickOptions, readOptions } from './attribution/options.js';
export {
  continueSteered,
  type Continuation,
  type ContinuationQuestion,
} from './interventions/steering/continuations.js';
export { planPlaces, type SteeringPlaces } from './interventions/steering/places.js';
export {
  planContrast,
  plainPrompt,
  steeringVector,
  type Contrast,
  type SteeringVector,
} from './interventions/steering/vectors.js';
export { steerTask, type Steering, type SteeringQuestion } from './interventions/steering/steering.js';
export { METHODS } from './attribution/edges/index.js';
export { nodeScores } from './attribution/edges/node-scores.js';
export { measureCapability, type Capability } from './evaluation/capability.js';
export { measureEffects, type EdgeCut } from './evaluation/effects.js';
export { eliminate, type Elimination, type EliminationTarget } from './evaluation/eliminate.js';
export { evaluateCircuit, type EvaluateOptions, type Evaluation, type Judgement } from './evaluation/evaluate.js';
export { faithfulness, measureCircuits, percentileAmong, type CircuitMetrics } from './evaluation/faithfulness.js';
export { CRITERIA, type Criterion } from './evaluation/index.js';
export { METRICS } from './engine/metrics/index.js';
export { boundMissed, type Missed, type SubsetSampling } from './evaluation/subset-bound.js';
export { TOKEN_METHODS } from './attribution/tokens/index.js';
export { attributeTokens, type TokenAttribution, type TokenQuestion } from './attribution/tokens/tokens.js';
export { averageGradient, type ScalarFunction, type Way } from './attribution/tokens/function.js';
export { gradientTimesInput, integratedGradients } from './attribution/tokens/gradients.js';
export { featureAblation } from './attribution/tokens/ablation.js';
export { shapley } from './attribution/tokens/shapley.js';
export {
  conductance,
  gradientTimesActivation,
  internalInfluence,
  layerAblation,
  neuronConductance,
  type LayeredFunction,
} from './attribution/tokens/layers.js';
export { deepLift } from './attribution/tokens/deep-lift.js';
export { layeredFunction, programFunction } from './attribution/tokens/program.js';
export * as program from './program/index.js';
export { auroc, compareCircuits, type Overlap } from './circuit/compare.js';
export { readReference, referenceEdges, referenceNames, type ReferenceCircuit } from './circuit/reference.js';
export { makeUniverse } from './circuit/universe.js';
export { selectCircuit } from './circuit/select.js';
export { prune } from './circuit/prune.js';
export { checkTask } from './task/check.js';
export { importTask } from './task/importers/index.js';
export { readExchange, writeExchange } from './report/formats/exchange.js';
export { TheveninError, type ErrorCode } from './errors.js';
export type { CircuitEvaluationRecord } from './report/records/evaluation.js';
export type { NodesRecord } from './report/records/nodes.js';
export type { PatchingRecord } from './report/records/patching.js';
export type { HopsRecord } from './report/records/hops.js';
export type { ScrubbingRecord } from './report/records/scrubbing.js';
export type { SteeringRecord } from './report/records/steering.js';
export type { TracingRecord } from './report/records/tracing.js';
export type { TokensRecord } from './report/records/tokens.js';
export type { ReportRecord } from './report/records/report.js';
export type { Circuit, Scores, Universe } from './circuit/types.js';
export type { CheckedTask, Example } from './task/types.js';
export type { Model, ModelConfig } from './model/types.js';
