import type { OpName, Program, Value } from '../../program/index.js';
import type { Constant } from '../types.js';
import { Graph, type FedShape } from './graph.js';
import { LOWERINGS } from './lowerings/index.js';
import type { Lowering } from './lowerings/types.js';
import { foldParameter, isFolded } from './parameters.js';
import { encodeModel, valueInfo } from './proto.js';

export interface LoweredProgram {
  readonly model: Uint8Array;
  /** large constants, handed to the session beside the model */
  readonly external: readonly { path: string; data: Uint8Array }[];
  /** program input → its name in the model */
  readonly inputs: ReadonlyMap<string, string>;
  readonly outputs: readonly LoweredOutput[];
  readonly fedShapes: readonly FedShape[];
}

export interface LoweredOutput {
  readonly key: string;
  readonly name: string;
  readonly value: Value;
}

/** Writes a program as an ONNX model. */
export function lowerProgram(program: Program, constants: Readonly<Record<string, Constant>>): LoweredProgram {
  const graph = new Graph();
  const names = nameValues(graph, program, constants);
  const outputs = nameOutputs(graph, program, names);
  const inputs = new Map(program.inputs.map((input) => [input.attributes.name, names.get(input)!]));
  const outputNames = new Set(outputs.map(({ name }) => name));
  const computed = program.values.filter((value) => value.op !== 'input' && value.op !== 'literal');
  const model = encodeModel({
    name: program.name,
    node: graph.nodes,
    initializer: graph.initializers,
    input: [
      ...program.inputs.map((input) => valueInfo(names.get(input)!, input.dtype, input.shape)),
      ...graph.fedShapes.map(({ name, dims }) => valueInfo(name, 'int64', [dims.length])),
    ],
    output: outputs.map(({ name, value }) => valueInfo(name, value.dtype, value.shape)),
    // named dims tell onnxruntime which intermediates are equally large and may share memory
    valueInfo: computed.flatMap((value) => {
      const name = names.get(value);
      return name === undefined || outputNames.has(name) ? [] : [valueInfo(name, value.dtype, value.shape)];
    }),
  });
  return { model, external: graph.external, inputs, outputs, fedShapes: graph.fedShapes };
}

/** All other ops are arithmetic on floats. */
const READS_INDICES: ReadonlySet<OpName> = new Set<OpName>(['reshape', 'slice', 'gather', 'scatterAdd']);

function nameValues(graph: Graph, program: Program, constants: Readonly<Record<string, Constant>>): Map<Value, string> {
  const names = new Map<Value, string>();
  const needed = readAsTheyAre(program);
  for (const value of program.values) {
    if (isFolded(value)) {
      if (!needed.has(value)) continue;
      const { shape, data } = foldParameter(value, constants);
      names.set(value, graph.constant(shape, data));
    } else if (value.op === 'input') names.set(value, graph.fresh());
    else {
      const lower = LOWERINGS[value.op] as Lowering<OpName>;
      const operands = value.inputs.map((input) => {
        const name = names.get(input)!;
        return input.dtype === 'int' && !READS_INDICES.has(value.op) ? graph.cast(name, 'float') : name;
      });
      names.set(value, lower(graph, value, operands));
    }
  }
  return names;
}

/** Values that an output is or that an op other than a folded one reads. */
function readAsTheyAre(program: Program): Set<Value> {
  const readers = program.values.filter((value) => !isFolded(value));
  return new Set([...Object.values(program.outputs), ...readers.flatMap((value) => value.inputs)]);
}

/** An output must be a node's own, and one only. */
function nameOutputs(graph: Graph, program: Program, names: ReadonlyMap<Value, string>): LoweredOutput[] {
  const taken = new Set<string>();
  return Object.entries(program.outputs).map(([key, value]) => {
    const own = names.get(value)!;
    const isNode = value.op !== 'input' && value.op !== 'literal' && !isFolded(value);
    const name = isNode && !taken.has(own) ? own : graph.node('Identity', [own]);
    taken.add(name);
    return { key, name, value };
  });
}
