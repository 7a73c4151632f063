export * from './ops.js';
export { differentiate, type Rules } from './differentiate.js';
export { makeProgram, printProgram, substitute, type Program } from './program.js';
export {
  addDims,
  multiplyDims,
  sameShape,
  bindShape,
  evaluateDim,
  evaluateShape,
  type Bindings,
  type Dim,
  type Shape,
} from './dims.js';
export type { DType, OpAttributes, OpName, Value } from './value.js';
