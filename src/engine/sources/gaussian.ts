import { invariant } from '../../errors.js';
import { gaussian as normal } from '../../task/gaussian.js';
import { seeded } from '../../task/random.js';
import { fixedAlternative, type FixedValues } from './fixed.js';
import { EVERYTHING } from './groupings.js';
import { measureMoments, siteKey, spread, type Moments } from './moments.js';
import type { NoiseSetting, Source } from './types.js';

/**
 * mean + scale · σ · ε, coordinate by coordinate: mean and standard deviation σ over reference prompts and positions, ε standard
 * normal, drawn apart for every example, node, position and coordinate. An example's noise depends on the seed and its index
 * alone, however the examples are batched. Patterns, whose rows sum to 1, have no such noise.
 */
const noises = (moments: Moments, { seed, scale }: NoiseSetting): FixedValues => ({
  at: (site, layer, { example, size, columns }) => {
    const { mean, deviation } = moments.of(site, layer, example);
    const draw = normal(seeded(hash(`${seed} ${example.index} ${siteKey(site, layer)}`)));
    const where = { columns, size, grouping: EVERYTHING, length: example.clean.length };
    const [centre, width] = [spread(mean, where), spread(deviation, where)];
    return centre.map((x, i) => x + scale * (width[i] as number) * draw());
  },
  pattern: null,
  positions: true,
});

/** FNV-1a, 32 bits. */
const hash = (text: string): number =>
  [...text].reduce((sofar, letter) => Math.imul(sofar ^ letter.charCodeAt(0), 0x01000193), 0x811c9dc5);

export const gaussian: Source = {
  title: 'its mean with Gaussian noise of its standard deviation (times --noise-scale) over reference prompts',
  reference: 'Meng et al. 2022, arXiv:2202.05262 (noise on embeddings; here on every sender)',
  needs: { prompts: EVERYTHING, noise: true, constants: false },
  make: async (engine, { batches, side, noise }) => {
    invariant(noise, 'noise has a seed and a scale');
    const values = noises(await measureMoments(engine, { batches, side, grouping: EVERYTHING }), noise);
    return (batch) => fixedAlternative(engine, batch, values);
  },
};
