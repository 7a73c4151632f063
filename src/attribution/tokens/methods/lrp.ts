import { sumsOf, timesDifference } from '../function.js';
import { tokenMethod } from '../types.js';
import { gradientInput } from './gradient-times-input.js';

/** Gradient × input with coefficients that hand on all of the metric, but for what biases add, where derivatives would not. */
export const lrp = tokenMethod({
  ...gradientInput,
  key: 'lrp',
  reference: 'Ali et al. 2022, arXiv:2202.07304; Rezaei Jafari, Eberle, Khakzar & Nanda 2025, arXiv:2508.21258',
  title: () => 'layer-wise relevance propagation',
  run: async ({ relevances, way, groups }) => {
    const [slope] = await relevances([way.x]);
    return sumsOf(timesDifference(way, slope as Float64Array), groups);
  },
});
