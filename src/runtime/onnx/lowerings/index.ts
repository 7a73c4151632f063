import type { OpName } from '../../../program/index.js';
import { ELEMENTWISE } from './elementwise.js';
import { LAYOUT } from './layout.js';
import { matmul } from './matmul.js';
import { REDUCTIONS } from './reductions.js';
import type { Lowering } from './types.js';

/** How each op is written in ONNX (`input` apart: inputs and parameters are the graph's own). */
export const LOWERINGS: { readonly [Op in Exclude<OpName, 'input'>]: Lowering<Op> } = {
  literal: (graph, { attributes }) => graph.scalar(attributes.value),
  matmul,
  ...ELEMENTWISE,
  ...REDUCTIONS,
  ...LAYOUT,
};
