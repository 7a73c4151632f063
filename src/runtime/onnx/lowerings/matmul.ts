import { sameShape, type Dim, type Value } from '../../../program/index.js';
import type { Graph } from '../graph.js';
import type { Lowering } from './types.js';

/**
 * Batches of products over no elements must come out as zeros. onnxruntime 1.30 gets two of them wrong: it forgets to
 * broadcast the batch axes, and where it fuses a transposition into the product it clears the first batch only. Both
 * are guarded where the inner dim is named, since only then can it turn out to be 0.
 */
export const matmul: Lowering<'matmul'> = (graph, value, inputs) => {
  const inner = value.inputs[0]!.shape.at(-1)!;
  if (typeof inner === 'number' || value.shape.length === 2) return graph.node('MatMul', inputs);
  const product = graph.node(
    'MatMul',
    inputs.map((name, i) => broadcastBatch(graph, name, { operand: value.inputs[i]!, product: value })),
  );
  return value.inputs.some(isFused) ? zerosWhereEmpty(graph, product, inner) : product;
};

/** onnxruntime takes transpositions into a product that exchange the last two axes or move the first. */
function isFused(operand: Value): boolean {
  if (operand.op !== 'transpose') return false;
  const { permutation } = operand.attributes;
  return permutation.at(-1) !== permutation.length - 1 || permutation[0] !== 0;
}

function broadcastBatch(graph: Graph, name: string, { operand, product }: { operand: Value; product: Value }): string {
  const batch = product.shape.slice(0, -2);
  const { shape } = operand;
  if (shape.length === 2 || sameShape(shape.slice(0, -2), batch)) return name;
  return graph.node('Expand', [name, graph.sizes([...batch, ...shape.slice(-2)])]);
}

const zerosWhereEmpty = (graph: Graph, product: string, inner: Dim): string =>
  graph.node('Where', [graph.cast(graph.sizes([inner]), 'bool'), product, graph.scalar(0)]);
