/**
 * The library: what the command line does, and the parts it is made of. Whole jobs import what they are made of when they are
 * called, so that importing the library takes no longer than starting the command line.
 */
const later =
  <Given extends unknown[], Result>(load: () => Promise<(...given: Given) => Promise<Result>>) =>
  async (...given: Given): Promise<Result> =>
    (await load())(...given);

/** Discovers the circuit of a task in a model, evaluates it on held-out pairs, and writes the report where `out` says. */
export const discover = later(async () => (await import('./run/discover.js')).discover);
/** Causal tracing of facts (ROME). */
export const causalTrace = later(async () => (await import('./run/causal-trace.js')).causalTrace);
/** Activation patching grids, path patching and attention knock-out. */
export const patch = later(async () => (await import('./run/patch.js')).patch);
/** What every head, neuron or layer is worth, estimated from gradients, beside exact effects. */
export const nodes = later(async () => (await import('./run/nodes.js')).nodes);
/** The most probable next tokens after a prompt. */
export const predict = later(async () => (await import('./run/predict.js')).predict);
/** Causal scrubbing: how much of what a model does a hypothesis explains. */
export const scrub = later(async () => (await import('./run/scrub.js')).scrub);
/** A value read from a file as the hypothesis that it must be. @throws TheveninError interventions/hypothesis */
export const parseHypothesis = later(async () => {
  const { parseHypothesis: parse } = await import('./interventions/scrubbing/schema.js');
  return (...given: Parameters<typeof parse>) => Promise.resolve(parse(...given));
});
/** What the prompt's tokens and spans contribute. */
export const tokens = later(async () => (await import('./run/tokens.js')).tokens);
/** A vector added at a site, dose by dose, and what the model then writes. */
export const steer = later(async () => (await import('./run/steer.js')).steer);
/** The strongest paths into a receiver, hop by hop. */
export const trace = later(async () => (await import('./run/trace.js')).trace);
/** A shipped task by its name, or a task file by its path. */
export const loadTask = later(async () => (await import('./task/load.js')).loadTask);
/** A task with its pairs, made for the model at hand where it has a generator. */
export const resolveTask = later(async () => (await import('./task/load.js')).resolveTask);

export type { Discovery, DiscoverOptions } from './run/discover.js';
export type { CausalTrace, CausalTraceRequest } from './run/causal-trace.js';
export type { NodesRequest, NodesResult } from './run/nodes.js';
export type { PatchRequest, PatchResult } from './run/patch.js';
export type { Prediction, PredictRequest } from './run/predict.js';
export type { ScrubRequest, ScrubResult } from './run/scrub.js';
export type { SteerRequest, SteerResult } from './run/steer.js';
export type { TokensRequest, TokensResult } from './run/tokens.js';
export type { TraceRequest } from './run/trace.js';
export type { DiscoverRequest } from './run/request.js';
export { loadModel } from './model/load.js';
export { createRuntime } from './runtime/index.js';
export { Engine } from './engine/engine.js';
export { planBatches } from './engine/batches.js';
export { withSession, type Session } from './engine/run.js';
export type { Question, Site, SiteKind } from './engine/questions.js';
export { makeSource, SOURCES } from './engine/sources.js';
export { learnConstants, type ConstantRequest } from './discovery/constants/learn.js';
export { edgeGradients } from './engine/gradient.js';
export { GRIDS } from './interventions/grids.js';
export { searchHops, type Hop, type HopOptions } from './interventions/hops.js';
export { planKnockout, type KnockoutRequest } from './interventions/knockouts.js';
export { planPath, type PathRequest } from './interventions/paths.js';
export { planGrids, type GridRequest } from './interventions/plan.js';
export { runGrids, type Patching, type PatchingGrid } from './interventions/patching.js';
export { layOut, type Hypothesis } from './interventions/scrubbing/hypothesis.js';
export type { HypothesisFile } from './interventions/scrubbing/schema.js';
export { planScrub, scrub as scrubPlan, type Scrubbing, type ScrubPlan } from './interventions/scrubbing/scrub.js';
export { ESTIMATORS, findEstimator, type Estimator } from './interventions/estimators.js';
export {
  attributeNodes,
  measureCells,
  planNodes,
  type NodeAttribution,
  type NodesQuestion,
} from './interventions/nodes.js';
export { continueSteered, type Continuation, type ContinuationQuestion } from './interventions/continuations.js';
export { planPlaces, type SteeringPlaces } from './interventions/steering-places.js';
export {
  planContrast,
  plainPrompt,
  steeringVector,
  type Contrast,
  type SteeringVector,
} from './interventions/steering-vectors.js';
export { steerTask, type Steering, type SteeringQuestion } from './interventions/steering.js';
export { METHODS } from './discovery/index.js';
export { nodeScores } from './discovery/nodes.js';
export { boundMissed, type Missed, type SubsetSampling } from './evaluation/missed.js';
export { TOKEN_METHODS } from './attribution/index.js';
export { attributeTokens, type TokenAttribution, type TokenQuestion } from './attribution/tokens.js';
export { averageGradient, type ScalarFunction, type Way } from './attribution/function.js';
export { gradientTimesInput, integratedGradients } from './attribution/gradients.js';
export { featureAblation } from './attribution/ablation.js';
export { shapley } from './attribution/shapley.js';
export {
  conductance,
  gradientTimesActivation,
  internalInfluence,
  layerAblation,
  neuronConductance,
  type LayeredFunction,
} from './attribution/layers.js';
export { deepLift } from './attribution/deep-lift.js';
export { layeredFunction, programFunction } from './attribution/program.js';
export * as program from './program/index.js';
export { makeUniverse } from './circuit/universe.js';
export { selectCircuit } from './circuit/select.js';
export { prune } from './circuit/prune.js';
export { checkTask } from './task/check.js';
export { importTask } from './task/importers/index.js';
export { readExchange, writeExchange } from './report/exchange.js';
export { TheveninError, type ErrorCode } from './errors.js';
export type { NodesRecord } from './report/nodes.js';
export type { PatchingRecord } from './report/patching.js';
export type { HopsRecord } from './report/hops.js';
export type { ScrubbingRecord } from './report/scrubbing.js';
export type { SteeringRecord } from './report/steering.js';
export type { TracingRecord } from './report/tracing.js';
export type { TokensRecord } from './report/tokens.js';
export type { ReportRecord } from './report/record.js';
export type { Circuit, Scores, Universe } from './circuit/types.js';
export type { CheckedTask, Example } from './task/types.js';
export type { Model, ModelConfig } from './model/types.js';
