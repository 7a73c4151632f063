/**
 * Vectors to steer with. From a pair of prompts (activation addition, Turner et al. 2308.10248), a row for every token:
 *
 *     v[i] = h(p₊)[i] − h(p₋)[i]
 *
 * or as the difference of means over two sets of prompts (Rimsky et al. 2312.06681; Marks & Tegmark 2310.06824), a single row:
 *
 *     v = mean over p ∈ P₊ of h(p)[read] − mean over p ∈ P₋ of h(p)[read]
 *
 * h is what the site says, `read` the positions that are averaged in each prompt.
 */
import { parseAddress, parsePlace, printSite } from '../../circuit/address.js';
import { planBatches } from '../../engine/core/batches.js';
import type { Engine } from '../../engine/core/engine.js';
import type { PromptSide } from '../../engine/model-run/prompts.js';
import { siteValues } from '../../engine/questions/site-values.js';
import type { SteeringKind, SteeringSite } from '../../engine/questions/steered.js';
import { refuse } from '../../errors.js';
import { normAt } from '../../model/blocks.js';
import type { ModelConfig } from '../../model/types.js';
import type { Example } from '../../task/types.js';
import { positionsOf } from '../../text/where.js';

export interface SteeringVector {
  readonly site: SteeringSite;
  /** more than one: row i is added at position i */
  readonly rows: number;
  /** [rows, d] */
  readonly values: Float64Array;
}

/** A vector made from a contrast. */
export interface ContrastVector extends SteeringVector {
  /**
   * Where the sides are the two prompts of the same pairs, |mean of the pairs' differences| / mean of their lengths: 1 where all
   * point the same way, near 0 where they cancel and little is left to steer with; else null.
   */
  readonly agreement: number | null;
}

/** Prompts of one side of a contrast: examples, of which one side speaks. */
export interface PromptSet {
  readonly examples: readonly Example[];
  readonly side: PromptSide;
}

export interface Contrast {
  readonly plus: PromptSet;
  readonly minus: PromptSet;
  /**
   * `each`: a row for every position, of prompts that are all equally long; `mean`: over all positions; or a span, such as `end`
   * or `S2`, over whose positions the mean is taken
   */
  readonly read: string;
}

/** An example that is no more than a prompt. */
export const plainPrompt = (ids: readonly number[], index = 0): Example => ({
  ...{ index, clean: ids, corrupt: ids, spans: {}, group: null },
  answers: [{ position: ids.length - 1, correct: { ids: [], weights: [] }, incorrect: { ids: [], weights: [] } }],
});

const KINDS: Readonly<Partial<Record<ReturnType<typeof parseAddress>['stops'][number]['kind'], SteeringKind>>> = {
  ...{ 'resid-pre': 'resid-pre', 'resid-mid': 'resid-mid', 'resid-post': 'resid-post' },
  ...{ attention: 'attention-out', mlp: 'mlp-out', head: 'z', z: 'z' },
};

/**
 * The site that an address names: `resid6.pre`, `resid6.mid`, `resid6.post`, `a6.out`, `m6`, or a head's output `a6.h1`.
 * @throws TheveninError circuit/address; interventions/steering: no site that can be steered, or the model has no such place
 */
export function findSteeringSite(config: ModelConfig, address: string): SteeringSite {
  const { stops, at } = parseAddress(address);
  const [place, ...others] = stops;
  const kind = KINDS[place!.kind];
  const { layer, head } = place!;
  if (kind === undefined || others.length > 0 || at !== null || typeof layer !== 'number' || head === '*')
    return refuse(
      'interventions/steering',
      `"${address}" is no site that a vector can be added to; name one place of one layer: resid6.pre, resid6.mid, resid6.post, a6.out, m6, or a head's output such as a6.h1 (positions are given apart)`,
    );
  const lack = lackOf(config, kind, { layer, head: head ?? 0 });
  if (lack !== null) refuse('interventions/steering', `the model has no ${printSite(place!)}: ${lack}`);
  return kind === 'z' ? { kind, layer, head: head as number } : { kind, layer };
}

function lackOf(
  config: ModelConfig,
  kind: SteeringKind,
  { layer, head }: { layer: number; head: number },
): string | null {
  if (layer >= config.nLayers) return `its layers are 0 … ${config.nLayers - 1}`;
  if (head >= config.nHeads) return `its heads are h0 … h${config.nHeads - 1}`;
  if (kind === 'mlp-out' && config.dMlp === 0) return 'it has no MLPs';
  if (kind === 'z' && normAt('ln1Post', config) !== null)
    return 'a norm follows its attention, so that no vector of the stream is one head’s output';
  if (kind === 'resid-mid' && config.parallelBlocks)
    return 'its attention and MLP run side by side, with no stream between them';
  return null;
}

/** A contrast that has been checked; its vector can be computed. */
export interface PlannedContrast extends Contrast {
  readonly site: SteeringSite;
  readonly rows: number;
  /** positions that are read, in each prompt */
  readonly positions: (example: Example) => readonly number[];
}

/**
 * @throws TheveninError interventions/steering: a set without prompts, the same prompts twice, rows of unequal numbers;
 * interventions/positions: a span that some prompts lack
 */
export function planContrast(site: SteeringSite, contrast: Contrast): PlannedContrast {
  const { plus, minus, read } = contrast;
  const [first, second] = [promptsOf(plus), promptsOf(minus)];
  for (const [name, prompts] of [
    ['plus', first],
    ['minus', second],
  ] as const)
    // prettier-ignore
    if (prompts.length === 0 || prompts.some((ids) => ids.length === 0))
      refuse(
        'interventions/steering',
        `the ${name} set has ${prompts.length === 0 ? 'no prompts' : 'a prompt without tokens'}; give prompts on both sides of the contrast`,
      );
  if (JSON.stringify(first) === JSON.stringify(second))
    refuse(
      'interventions/steering',
      'plus and minus are the same prompts, and their difference is zero; give two sides',
    );
  const positions = readingOf(read);
  for (const example of [...plus.examples, ...minus.examples]) positions(example);
  const lengths = [...new Set([...first, ...second].map((ids) => ids.length))].sort((a, b) => a - b);
  if (read === 'each' && lengths.length > 1)
    refuse(
      'interventions/steering',
      `a vector with a row for each token needs prompts of one length, not of ${lengths.join(', ')} tokens; pad the shorter ones, or read one place of each (end, mean, or a span)`,
    );
  return { ...contrast, site, positions, rows: read === 'each' ? (lengths[0] as number) : 1 };
}

const promptsOf = ({ examples, side }: PromptSet): (readonly number[])[] => examples.map((example) => example[side]);

function readingOf(read: string): (example: Example) => readonly number[] {
  if (read === 'each' || read === 'mean') return ({ clean }) => clean.map((_, position) => position);
  const span = parsePlace(read);
  return (example) => positionsOf(span, example);
}

/**
 * The vector of a contrast. Cost: one forward pass over its prompts.
 * @throws TheveninError interventions/steering: the site says the same on both sides
 */
export async function steeringVector(engine: Engine, planned: PlannedContrast): Promise<ContrastVector> {
  const { site, rows } = planned;
  const plus = await readings(engine, planned, planned.plus);
  const minus = await readings(engine, planned, planned.minus);
  const values = plus.mean.map((x, i) => x - (minus.mean[i] as number));
  if (values.every((x) => x === 0))
    refuse(
      'interventions/steering',
      arePairs(planned) && plus.each.some((own, pair) => own.some((x, i) => x !== minus.each[pair]?.[i]))
        ? `the differences of the ${plus.each.length} pairs at ${site.kind} of layer ${site.layer} cancel to zero: for every pair there is one the other way round; take pairs that all go one way`
        : `what ${site.kind} of layer ${site.layer} says at "${planned.read}" is the same on both sides, so there is no vector; read another place or a later layer, where the prompts have told themselves apart`,
    );
  const agreement = arePairs(planned) ? agreementOf(plus.each, minus.each, values) : null;
  return { site, rows, values, agreement };
}

/** The sides are the two prompts of the same pairs. */
const arePairs = ({ plus, minus }: Contrast): boolean =>
  plus.examples.length === minus.examples.length && plus.examples.every((pair, i) => pair === minus.examples[i]);

const norm = (values: Float64Array): number => Math.sqrt(values.reduce((sum, x) => sum + x * x, 0));

function agreementOf(plus: readonly Float64Array[], minus: readonly Float64Array[], mean: Float64Array): number {
  const lengths = plus.map((own, pair) => norm(own.map((x, i) => x - (minus[pair] as Float64Array)[i]!)));
  return norm(mean) / (lengths.reduce((sum, length) => sum + length, 0) / lengths.length);
}

/** What the site writes: the mean over the prompts and each prompt's own, in the order of the examples; all [rows, d]. */
async function readings(
  engine: Engine,
  planned: PlannedContrast,
  { examples, side }: PromptSet,
): Promise<{ mean: Float64Array; each: Float64Array[] }> {
  const { dModel } = engine.model.config;
  const { site, rows, positions } = planned;
  const sum = new Float64Array(rows * dModel);
  const each = examples.map(() => new Float64Array(rows * dModel));
  for (const batch of planBatches(engine, examples).batches) {
    const values = await siteValues(engine, batch, { site, side });
    batch.examples.forEach((example, e) => {
      const read = positions(example);
      read.forEach((position, i) => {
        const from = (e * batch.length + position) * dModel;
        const [row, share] = rows === 1 ? [0, 1 / read.length] : [i, 1];
        const own = each[batch.indices[e] as number] as Float64Array;
        for (let j = 0; j < dModel; j++) {
          sum[row * dModel + j]! += share * values[from + j]!;
          own[row * dModel + j]! += share * values[from + j]!;
        }
      });
    });
  }
  return { mean: sum.map((x) => x / examples.length), each };
}
