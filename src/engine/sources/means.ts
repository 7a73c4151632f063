/** Every node's mean over reference prompts; the means differ in which prompts and positions go together. */
import type { Engine } from '../core/engine.js';
import { fixedAlternative, type FixedValues } from './fixed.js';
import { BY_LENGTH, BY_TEMPLATE, EVERYTHING } from './groupings.js';
import { meanPatterns, measureMoments, spread, type MeanPatterns, type Moments } from './moments.js';
import type { Grouping, Needs, Source } from './types.js';

const means = (moments: Moments, pattern: MeanPatterns): FixedValues => ({
  at: (site, layer, { example, size, columns }) => {
    const { grouping } = moments;
    return spread(moments.of(site, layer, example).mean, { columns, size, grouping, length: example.clean.length });
  },
  pattern,
  positions: true,
});

const meanBy =
  (grouping: Grouping): Source['make'] =>
  async (engine: Engine, { batches, side }) => {
    const reference = { batches, side, grouping };
    const moments = await measureMoments(engine, reference);
    const values = means(moments, meanPatterns(engine, reference));
    return (batch) => fixedAlternative(engine, batch, values);
  };

const needs = (prompts: Grouping): Needs => ({ prompts, noise: false, constants: false });

export const mean: Source = {
  title: 'the sender’s mean over reference prompts and their positions',
  reference: 'Wang et al. 2022, arXiv:2211.00593; Miller et al. 2024, arXiv:2407.08734 (batch-and-token mean)',
  needs: needs(EVERYTHING),
  make: meanBy(EVERYTHING),
};

export const positionalMean: Source = {
  title: 'its mean at each position over reference prompts of the same length',
  reference: 'Miller et al. 2024, arXiv:2407.08734 (token-wise mean)',
  needs: needs(BY_LENGTH),
  make: meanBy(BY_LENGTH),
};

export const templateMean: Source = {
  title: 'its mean at each position over reference prompts made from the same template',
  reference: 'Wang et al. 2022, arXiv:2211.00593 (mean ablation by template)',
  needs: needs(BY_TEMPLATE),
  make: meanBy(BY_TEMPLATE),
};
