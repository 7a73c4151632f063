/** Ablation sources: where the values of what is cut come from. One file each in `sources/`, one line here. */
import { refuse } from '../../errors.js';
import { choicesFor } from '../../nearest.js';
import type { Example } from '../../task/types.js';
import type { Engine } from '../core/engine.js';
import { SOURCE_KINDS, type SourceKind } from './kinds.js';
import { gaussian } from './gaussian.js';
import { learned } from './learned.js';
import { mean, positionalMean, templateMean } from './means.js';
import { otherSource } from './other-prompt.js';
import type { AlternativeMaker, Grouping, Ingredients, NoiseSetting, Source } from './types.js';
import { zero, zeroWithPositions } from './zero.js';

export { otherPrompt } from './other-prompt.js';
export type { AlternativeMaker, Constants } from './types.js';

/** Every source; a new one is a file, and a line here and in SOURCE_KINDS. */
export const SOURCES: { readonly [Kind in SourceKind]: Source } = {
  'other-prompt': otherSource,
  zero,
  'zero-with-positions': zeroWithPositions,
  mean,
  'positional-mean': positionalMean,
  'template-mean': templateMean,
  gaussian,
  learned,
};

/** The alternatives of any batch. Cost: where a source needs reference prompts, one forward pass over them. */
export const makeSource = (engine: Engine, kind: SourceKind, given: Ingredients): Promise<AlternativeMaker> =>
  SOURCES[kind].make(engine, given);

/**
 * Refuses a source that cannot be made for these examples from these reference prompts; nothing is computed.
 * @throws TheveninError discovery/source, interventions/noise
 */
export function checkSource(
  kind: SourceKind,
  given: { examples: readonly Example[]; reference: readonly Example[]; noise: NoiseSetting },
): void {
  const needs = (SOURCES as Readonly<Record<string, Source>>)[kind]?.needs ?? refuseKind(kind);
  if (needs.noise && !(given.noise.scale > 0 && Number.isFinite(given.noise.scale)))
    refuse(
      'interventions/noise',
      `--source ${kind}: noise of scale ${given.noise.scale} replaces nothing by noise; give a scale above 0 (1: the standard deviation), or use the source mean`,
    );
  if (needs.prompts) checkGroups(kind, needs.prompts, given);
}

const refuseKind = (kind: string): never =>
  refuse(
    'discovery/source',
    `no ablation source is called ${JSON.stringify(kind)}; there are ${choicesFor(kind, SOURCE_KINDS)}`,
  );

/** Every example's values can be taken over some reference prompt. */
function checkGroups(
  key: SourceKind,
  grouping: Grouping,
  { examples, reference }: { examples: readonly Example[]; reference: readonly Example[] },
): void {
  const without = examples.find((example) => grouping.groupOf(example) === null);
  if (without)
    refuse(
      'discovery/source',
      `--source ${key}: pair ${without.index} does not say which template it is made from; give every pair of the task a "group", or use the source mean or positional-mean`,
    );
  const known = new Set(reference.map((example) => grouping.groupOf(example)));
  const missing = examples.filter((example) => !known.has(grouping.groupOf(example)));
  const [first] = missing;
  if (first)
    refuse(
      'discovery/source',
      `--source ${key}: nothing to take a mean over for ${missing.length} of ${examples.length} pairs (the first is pair ${first.index}): among the prompts to discover on there are no ${grouping.describe(first)}; use more pairs (--examples), --no-split, or the source mean`,
    );
}
