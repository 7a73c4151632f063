import type { OpName, Value } from '../../../program/index.js';
import type { Graph } from '../graph.js';

/** Writes one value into the graph; `inputs` are the ONNX names of what it reads, and its own name is returned. */
export type Lowering<Op extends OpName> = (graph: Graph, value: Value<Op>, inputs: readonly string[]) => string;

/** A rule that needs to know nothing but the operands. */
export type PlainLowering = (graph: Graph, value: unknown, inputs: readonly string[]) => string;
