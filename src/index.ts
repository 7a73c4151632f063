/** The library: what the command line does, and the parts it is made of. */
export { discover, type Discovery, type DiscoverOptions } from './run/discover.js';
export { causalTrace, type CausalTrace, type CausalTraceRequest } from './run/causal-trace.js';
export { patch, type PatchRequest, type PatchResult } from './run/patch.js';
export { predict, type Prediction, type PredictRequest } from './run/predict.js';
export { tokens, type TokensRequest, type TokensResult } from './run/tokens.js';
export { trace, type TraceRequest } from './run/trace.js';
export type { DiscoverRequest } from './run/request.js';
export { loadModel } from './model/load.js';
export { createRuntime } from './runtime/index.js';
export { Engine } from './engine/engine.js';
export { planBatches } from './engine/batches.js';
export { withSession, type Session } from './engine/run.js';
export type { Question, Site, SiteKind } from './engine/questions.js';
export { makeSource } from './engine/sources.js';
export { edgeGradients } from './engine/gradient.js';
export { GRIDS } from './interventions/grids.js';
export { searchHops, type Hop, type HopOptions } from './interventions/hops.js';
export { planKnockout, type KnockoutRequest } from './interventions/knockouts.js';
export { planPath, type PathRequest } from './interventions/paths.js';
export { planGrids, type GridRequest } from './interventions/plan.js';
export { runGrids, type Patching, type PatchingGrid } from './interventions/patching.js';
export { METHODS } from './discovery/index.js';
export { nodeScores } from './discovery/nodes.js';
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
export { loadTask, resolveTask } from './task/load.js';
export { checkTask } from './task/check.js';
export { importTask } from './task/importers/index.js';
export { readExchange, writeExchange } from './report/exchange.js';
export { TheveninError, type ErrorCode } from './errors.js';
export type { PatchingRecord } from './report/patching.js';
export type { HopsRecord } from './report/hops.js';
export type { TracingRecord } from './report/tracing.js';
export type { TokensRecord } from './report/tokens.js';
export type { ReportRecord } from './report/record.js';
export type { Circuit, Scores, Universe } from './circuit/types.js';
export type { CheckedTask, Example } from './task/types.js';
export type { Model, ModelConfig } from './model/types.js';
