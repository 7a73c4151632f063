/**
 * Two layers of attention that continue what has begun again. To predict, at the second A of "A B … A", the B, one head has
 * to write into each token's place what preceded it, and a second one to look that up (Olsson et al. 2022, arXiv 2209.11895).
 * Rotary positions say how far back a key is, but not where in the sequence a token stands, so nothing can be counted instead.
 */
import { writeSafetensors } from '../../model/safetensors.js';
import { seeded } from '../../task/random.js';
import { batchOf } from '../batch.js';
import { causalConfig, withBiases } from '../config.js';
import type { Blueprint } from '../forward.js';
import { noise, repeatedSequence, SEQUENCE } from './induction-data.js';
import type { Head, Meter, Reading } from '../meter.js';
import { namedWeights } from '../files/named-weights.js';
import type { Recipe } from './recipe.js';
import { writeJson } from '../files/write-json.js';

/** Two consonants around a vowel: 16 × 4 × 8 tokens. */
const TOKENS = [...'bdfghjklmnprstvz'].flatMap((first) =>
  [...'aiou'].flatMap((vowel) => [...'bdgklmns'].map((last) => `${first}${vowel}${last}`)),
);

const blueprint: Blueprint = {
  config: causalConfig(
    { name: 'induction', nLayers: 2, nHeads: 4, dModel: 128, dMlp: 0, nCtx: SEQUENCE, dVocab: TOKENS.length },
    { architecture: 'plain', positional: 'rotary', rotary: { base: 100, dims: 32, adjacentPairs: false } },
  ),
  tied: false,
  has: withBiases(false),
};

export const inductionRecipe: Recipe = {
  key: 'induction',
  title: 'two layers of attention that continue a repeated random sequence',
  blueprint,
  schedule: { steps: 2500, warmup: 200, rate: 3e-3, floor: 0.1, decay: 0.05, seed: 0 },
  batches: (random) => () =>
    batchOf(
      Array.from({ length: 32 }, () => repeatedSequence(random, TOKENS.length)),
      0,
    ),
  verify: inductionFigures,
  save,
};

/** Blocks of these lengths, each twice in a row. */
const PERIODS = [16, 20, 24, 28, 32] as const;
const SEQUENCES = 64;

/** Losses in nats per token; attention as a mean over the second half of each sequence. */
export interface InductionFigures {
  /** log V */
  readonly uniform: number;
  readonly periods: readonly PeriodFigures[];
}

export interface PeriodFigures {
  /** tokens of the block that comes twice */
  readonly period: number;
  readonly firstHalf: number;
  /** from its second token on: the first is a surprise, as blocks differ in length */
  readonly secondHalf: number;
  readonly heads: readonly HeadFigures[];
  /** heads of the first layer that attend to the previous token most of the time, and the second half's loss without them all */
  readonly previousTokenHeads: Ablation;
  /** heads of the second layer that attend to what followed the same token, likewise */
  readonly inductionHeads: Ablation;
}

export interface Ablation {
  readonly heads: readonly string[];
  readonly secondHalfWithout: number;
}

export interface HeadFigures {
  /** e.g. `a0.h1` */
  readonly head: string;
  readonly toPreviousToken: number;
  /** to the token after the same token's first occurrence */
  readonly toTokenAfterMatch: number;
  /** the second half's loss with this head's output replaced by zero */
  readonly secondHalfWithout: number;
}

export async function inductionFigures(meter: Meter): Promise<InductionFigures> {
  const random = seeded(1);
  const periods: PeriodFigures[] = [];
  for (const period of PERIODS) {
    const blocks = Array.from({ length: SEQUENCES }, () => noise(random, period, TOKENS.length));
    periods.push(await measure(meter, blocks));
  }
  return { uniform: Math.log(TOKENS.length), periods };
}

async function measure(meter: Meter, blocks: readonly (readonly number[])[]): Promise<PeriodFigures> {
  const period = blocks[0]?.length ?? 0;
  const sequences = blocks.map((block) => [...block, ...block]);
  /** mean over all sequences and period − 1 places of each */
  const mean = (value: (row: number, i: number) => number): number => {
    let sum = 0;
    for (let row = 0; row < sequences.length; row++) for (let i = 0; i + 1 < period; i++) sum += value(row, i);
    return sum / (sequences.length * (period - 1));
  };
  const loss = (reading: Reading, from: number): number =>
    mean((row, i) => -reading.logProbability(row, from + i, sequences[row]?.[from + i + 1] ?? 0));
  const whole = await meter.read(sequences);
  const attention = (head: Head, back: number): number =>
    mean((row, i) => whole.attention(head, row, { query: period + i, key: period + i - back }));
  const heads: HeadFigures[] = [];
  for (const head of allHeads())
    heads.push({
      head: nameOf(head),
      toPreviousToken: attention(head, 1),
      toTokenAfterMatch: attention(head, period - 1),
      secondHalfWithout: loss(await meter.read(sequences, [head]), period),
    });
  const without = async (ablated: readonly Head[]): Promise<Ablation> => ({
    heads: ablated.map(nameOf),
    secondHalfWithout: loss(await meter.read(sequences, ablated), period),
  });
  const mostly = (layer: number, back: number): Head[] =>
    allHeads().filter((head) => head[0] === layer && attention(head, back) > MOSTLY);
  return {
    period,
    firstHalf: loss(whole, 0),
    secondHalf: loss(whole, period),
    heads,
    previousTokenHeads: await without(mostly(0, 1)),
    inductionHeads: await without(mostly(1, period - 1)),
  };
}

const MOSTLY = 0.4;
const nameOf = ([layer, head]: Head): string => `a${layer}.h${head}`;

const allHeads = (): Head[] =>
  Array.from({ length: blueprint.config.nLayers }, (_, layer) =>
    Array.from({ length: blueprint.config.nHeads }, (_, head) => [layer, head] as const),
  ).flat();

async function save(folder: string, weights: ReadonlyMap<string, Float32Array>): Promise<void> {
  const { config } = blueprint;
  await writeSafetensors(`${folder}/model.safetensors`, namedWeights(blueprint, weights));
  await writeJson(`${folder}/model.json`, {
    config: {
      model: config.name,
      n_layers: config.nLayers,
      n_heads: config.nHeads,
      d_model: config.dModel,
      d_head: config.dHead,
      attn_only: true,
      normalization_type: 'LN',
      eps: config.normEps,
      positional_embedding_type: 'rotary',
      rotary_base: config.rotary?.base,
      rotary_dim: config.rotary?.dims,
      rotary_adjacent_pairs: false,
      attention_dir: 'causal',
      attn_scale: config.attnScale,
      n_ctx: config.nCtx,
      d_vocab: config.dVocab,
      d_vocab_out: config.dVocabOut,
      tie_word_embeddings: false,
    },
    origin: 'npm run train -- induction',
    licence: 'MIT',
    task: 'random tokens that repeat: what followed the same token before follows it again',
    vocab: TOKENS,
  });
}
