import { float, int } from '../proto.js';
import type { Lowering } from './types.js';

const reduce =
  (op: string): Lowering<'sum' | 'mean' | 'max'> =>
  (graph, { attributes: { axes, keepDims } }, [x]) =>
    axes.length === 0
      ? graph.node('Identity', [x!])
      : graph.node(op, [x!, graph.integers(axes)], { keepdims: int(keepDims ? 1 : 0) });

const overLast =
  (op: string): Lowering<'softmax' | 'logSoftmax'> =>
  (graph, _, inputs) =>
    graph.node(op, inputs, { axis: int(-1) });

const layerNorm: Lowering<'layerNorm'> = (graph, { attributes }, inputs) =>
  graph.node('LayerNormalization', inputs, { axis: int(-1), epsilon: float(attributes.eps) });

/** onnxruntime's own name for the RMS norm, which it keeps in the standard domain. */
const rmsNorm: Lowering<'rmsNorm'> = (graph, { attributes }, inputs) =>
  graph.node('SimplifiedLayerNormalization', inputs, { axis: int(-1), epsilon: float(attributes.eps) });

export const REDUCTIONS = {
  sum: reduce('ReduceSum'),
  mean: reduce('ReduceMean'),
  max: reduce('ReduceMax'),
  softmax: overLast('Softmax'),
  logSoftmax: overLast('LogSoftmax'),
  layerNorm,
  rmsNorm,
};
