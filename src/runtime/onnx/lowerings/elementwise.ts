import { text } from '../proto.js';
import type { Lowering, PlainLowering } from './types.js';

const direct =
  (op: string): PlainLowering =>
  (graph, _, inputs) =>
    graph.node(op, inputs);

const comparison =
  (op: string): PlainLowering =>
  (graph, _, inputs) =>
    graph.fromBoolean(graph.node(op, inputs));

const gelu =
  (approximate: 'none' | 'tanh'): PlainLowering =>
  (graph, _, inputs) =>
    graph.node('Gelu', inputs, { approximate: text(approximate) });

const where: Lowering<'where'> = (graph, _, [condition, then, otherwise]) =>
  graph.node('Where', [graph.toBoolean(condition!), then!, otherwise!]);

const silu: Lowering<'silu'> = (graph, _, [x]) => graph.node('Mul', [x!, graph.node('Sigmoid', [x!])]);

export const ELEMENTWISE = {
  add: direct('Add'),
  sub: direct('Sub'),
  mul: direct('Mul'),
  div: direct('Div'),
  pow: direct('Pow'),
  minimum: direct('Min'),
  greater: comparison('Greater'),
  equal: comparison('Equal'),
  where,
  neg: direct('Neg'),
  abs: direct('Abs'),
  exp: direct('Exp'),
  log: direct('Log'),
  sqrt: direct('Sqrt'),
  sin: direct('Sin'),
  cos: direct('Cos'),
  tanh: direct('Tanh'),
  sigmoid: direct('Sigmoid'),
  erf: direct('Erf'),
  relu: direct('Relu'),
  gelu: gelu('none'),
  geluTanh: gelu('tanh'),
  silu,
};
