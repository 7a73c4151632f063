import type { ModelConfig } from '../../model/types.js';
import { fixedAlternative, type FixedValues } from './fixed.js';
import { NOTHING_NEEDED, type Source } from './types.js';

const zeros = (positions: boolean, { nHeads }: ModelConfig): FixedValues => ({
  at: (_site, _layer, { size }) => new Float64Array(size),
  pattern: ({ clean }) => Promise.resolve(new Float64Array(nHeads * clean.length ** 2)),
  positions,
});

const sourceOf = (positions: boolean): Source['make'] => {
  return (engine) => Promise.resolve((batch) => fixedAlternative(engine, batch, zeros(positions, engine.model.config)));
};

export const zero: Source = {
  title: 'nothing; learned positions stay in the stream',
  reference: 'Olsson et al. 2022, arXiv:2209.11895 (zero ablation)',
  needs: NOTHING_NEEDED,
  make: sourceOf(true),
};

/** As in ACDC and auto-circuit, whose embedding includes the positions. */
export const zeroWithPositions: Source = {
  title: 'nothing; learned positions go with the embedding',
  reference: 'Conmy et al. 2023, arXiv:2304.14997 (as its code ablates)',
  needs: NOTHING_NEEDED,
  make: sourceOf(false),
};
