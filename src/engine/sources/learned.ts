import { invariant } from '../../errors.js';
import { fixedAlternative, type FixedValues } from './fixed.js';
import { EVERYTHING } from './groupings.js';
import { siteKey, spread } from './moments.js';
import type { Constants, Source } from './types.js';

/** The same at every position of every prompt. Attention patterns have no such constant. */
const constantValues = (constants: Constants): FixedValues => ({
  at: (site, layer, { example, size, columns }) => {
    const constant = constants.get(siteKey(site, layer));
    invariant(constant, `constants hold ${siteKey(site, layer)}`);
    return spread(constant, { columns, size, grouping: EVERYTHING, length: example.clean.length });
  },
  pattern: null,
  positions: true,
});

export const learned: Source = {
  title: 'a constant of its own, learned on reference prompts so that losing the sender hurts least (optimal ablation)',
  reference: 'Li & Janson 2024, arXiv:2409.09951',
  needs: { prompts: EVERYTHING, noise: false, constants: true },
  make: (engine, { constants }) => {
    invariant(constants, 'a learned source is made from constants');
    return Promise.resolve((batch) => fixedAlternative(engine, batch, constantValues(constants)));
  },
};
