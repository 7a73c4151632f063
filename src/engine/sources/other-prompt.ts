import type { Engine } from '../core/engine.js';
import { patternOf, type CachedRun } from '../model-run/prompts.js';
import type { Alternative } from '../model-run/bound-run.js';
import { NOTHING_NEEDED, type Source } from './types.js';

/** The other prompt's run as the source: a node cut off from everything says exactly what it said there. */
export const otherPrompt = (engine: Engine, run: CachedRun, firstChange: number): Alternative => ({
  ...run,
  pattern: (layer) => patternOf(engine, run, layer),
  isRun: true,
  firstChange,
  dispose: () => undefined,
});

export const otherSource: Source = {
  title: 'what the sender says on the pair’s other prompt (resample ablation)',
  reference: 'Chan et al. 2022, causal scrubbing; Conmy et al. 2023, arXiv:2304.14997',
  needs: NOTHING_NEEDED,
  make: (engine) =>
    Promise.resolve((_, { other, firstChange }) => Promise.resolve(otherPrompt(engine, other, firstChange))),
};
