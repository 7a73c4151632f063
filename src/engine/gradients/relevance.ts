import type { Rules } from '../kernels/attribution.js';

/**
 * The rules of layer-wise relevance propagation for transformers: norms divide by a constant (LN rule), activations are lines
 * through the origin (identity rule), the attention pattern is constant (AH rule), the factors of a product share its relevance
 * equally (half rule) (Ali et al., arXiv:2202.07304; Rezaei Jafari et al., arXiv:2508.21258).
 */
export const RELEVANCE: Rules = {
  frozenNorms: true,
  mlp: { frozenNorm: true, lineThroughOrigin: true, factors: 0.5 },
  attention: { temperature: null, queries: 0, keys: 0, values: 1 },
};
