import type { Shape } from '../../../program/index.js';
import { int, ints, text } from '../proto.js';
import type { Lowering } from './types.js';

const transpose: Lowering<'transpose'> = (graph, { attributes }, inputs) =>
  graph.node('Transpose', inputs, { perm: ints(attributes.permutation) });

/** The target as plain numbers, where Reshape can work it out: 0 copies a dim, one −1 is what is left. */
function staticTarget(from: Shape, to: Shape): number[] | null {
  if (to.includes(0)) return null;
  const target = to.map((dim, i) => (typeof dim === 'number' ? dim : dim === from[i] ? 0 : -1));
  const unknown = target.filter((size) => size === -1).length;
  // next to a copied dim, which may turn out to be 0, what is left would be undefined
  return unknown === 0 || (unknown === 1 && !target.includes(0)) ? target : null;
}

const reshape: Lowering<'reshape'> = (graph, value, [x]) => {
  const { shape } = value.attributes;
  const target = staticTarget(value.inputs[0]!.shape, shape);
  return target
    ? graph.node('Reshape', [x!, graph.integers(target)])
    : graph.node('Reshape', [x!, graph.sizes(shape)], { allowzero: int(1) });
};

const broadcast: Lowering<'broadcast'> = (graph, { attributes }, [x]) =>
  graph.node('Expand', [x!, graph.sizes(attributes.shape)]);

const concat: Lowering<'concat'> = (graph, { attributes }, inputs) =>
  graph.node('Concat', inputs, { axis: int(attributes.axis) });

const slice: Lowering<'slice'> = (graph, { attributes: { axis, start, end } }, [x]) =>
  graph.node('Slice', [x!, graph.sizes([start]), graph.sizes([end]), graph.integers([axis])]);

const pad: Lowering<'pad'> = (graph, { attributes: { axis, before, after } }, [x]) =>
  graph.node('Pad', [x!, graph.sizes([before, after]), graph.scalar(0), graph.integers([axis])]);

const gather: Lowering<'gather'> = (graph, { attributes }, inputs) =>
  graph.node('Gather', inputs, { axis: int(attributes.axis) });

const scatterAdd: Lowering<'scatterAdd'> = (graph, value, [updates, indices]) => {
  const zeros = graph.node('Expand', [graph.scalar(0), graph.sizes(value.shape)]);
  const rows = graph.node('Unsqueeze', [graph.cast(indices!, 'int64'), graph.integers([1])]);
  return graph.node('ScatterND', [zeros, rows, updates!], { reduction: text('add') });
};

export const LAYOUT = {
  transpose,
  reshape,
  broadcast,
  concat,
  slice,
  pad,
  gather,
  scatterAdd,
};
