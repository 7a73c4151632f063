/** What a steered model goes on to write, beside what it writes unsteered from the same random numbers. */
import { answerLogProbabilities } from '../../engine/judging/answer-logs.js';
import { planBatches, type Batch } from '../../engine/core/batches.js';
import type { Engine } from '../../engine/core/engine.js';
import { withCachedRun, type CachedRun, type PromptSide } from '../../engine/model-run/prompts.js';
import { otherPrompt } from '../../engine/sources/index.js';
import { steer } from '../../engine/questions/steered.js';
import { refuse } from '../../errors.js';
import type { ModelConfig } from '../../model/types.js';
import type { Example } from '../../task/types.js';
import { checkSampling, drawToken, gumbels, seedsFrom, type Sampling } from './sampling.js';
import { additionOf, type SteeringPlaces } from './places.js';
import { divergence } from './steering.js';
import { plainPrompt, type SteeringVector } from './vectors.js';

export interface ContinuationQuestion {
  readonly vector: SteeringVector;
  /** one place */
  readonly places: SteeringPlaces;
  /** beside 0, which is always written */
  readonly coefficients: readonly number[];
  readonly side: PromptSide;
  readonly sampling: Sampling;
  readonly signal?: AbortSignal;
  /** tokens written, of all */
  readonly onProgress?: (done: number, total: number) => void;
}

export interface Continuation {
  /** place among the examples, and which of their samples */
  readonly example: number;
  readonly sample: number;
  readonly coefficient: number;
  readonly ids: readonly number[];
  /** KL(steered ‖ unsteered) of the next token in nats, at temperature 1, mean over the tokens written */
  readonly divergence: number;
}

/**
 * @throws TheveninError interventions/sampling: the sampling makes no sense, or the model cannot write on, or not that far;
 * interventions/steering: several places
 */
export function checkContinuations(
  config: ModelConfig,
  examples: readonly Example[],
  { places, sampling, side }: Pick<ContinuationQuestion, 'places' | 'sampling' | 'side'>,
): void {
  checkSampling(sampling);
  if (places.labels.length > 1)
    refuse(
      'interventions/steering',
      'continuations need one place that is steered; draw none (--samples 0), or name it',
    );
  if (config.dVocab !== config.dVocabOut || config.attention !== 'causal')
    refuse(
      'interventions/sampling',
      `${config.name} cannot write on: ${config.attention === 'causal' ? 'what it puts out are not the tokens that it reads' : 'its attention looks both ways'}; draw no continuations (--samples 0)`,
    );
  const longest = Math.max(0, ...examples.map((example) => example[side].length));
  if (longest + sampling.tokens > config.nCtx)
    refuse(
      'interventions/sampling',
      `${longest} tokens and ${sampling.tokens} more are beyond the ${config.nCtx} that ${config.name} reads; write at most ${Math.max(0, config.nCtx - longest)} (--tokens)`,
    );
}

interface Row {
  readonly example: number;
  readonly sample: number;
  readonly coefficient: number;
  readonly noise: Generator<number, never>;
  readonly ids: number[];
  divergence: number;
}

/**
 * Continues prompts with every coefficient and without. Cost: up to two forward passes over the text so far for every token of
 * every continuation.
 */
export async function continueSteered(
  engine: Engine,
  examples: readonly Example[],
  question: ContinuationQuestion,
): Promise<Continuation[]> {
  checkContinuations(engine.model.config, examples, question);
  const { sampling, side, signal, onProgress } = question;
  const rows = rowsOf(examples, question);
  const finals = rows.map(({ example }) => plainPrompt(Array<number>((examples[example] as Example)[side].length + sampling.tokens).fill(0))); // prettier-ignore
  const total = rows.length * sampling.tokens;
  let done = 0;
  for (const { indices } of planBatches(engine, finals).batches) {
    const own = indices.map((i) => rows[i] as Row);
    for (let token = 0; token < sampling.tokens; token++) {
      signal?.throwIfAborted();
      await writeToken(engine, own, { examples, question });
      onProgress?.((done += own.length), total);
    }
  }
  return rows.map(({ example, sample, coefficient, ids, divergence: sum }) => {
    return { example, sample, coefficient, ids, divergence: sum / sampling.tokens };
  });
}

/** The continuations of one sample draw the same noise, whatever their coefficient. */
function rowsOf(examples: readonly Example[], { coefficients, sampling }: ContinuationQuestion): Row[] {
  const { samples, seed } = sampling;
  const seeds = seedsFrom(seed, examples.length * samples);
  return seeds.flatMap((own, i) =>
    [0, ...coefficients.filter((coefficient) => coefficient !== 0)].map((coefficient): Row => {
      const [example, sample] = [Math.floor(i / samples), i % samples];
      return { example, sample, coefficient, noise: gumbels(own), ids: [], divergence: 0 };
    }),
  );
}

interface Writing {
  readonly examples: readonly Example[];
  readonly question: ContinuationQuestion;
}

async function writeToken(engine: Engine, rows: readonly Row[], writing: Writing): Promise<void> {
  const { examples, question } = writing;
  const { sampling, side } = question;
  const grown = rows.map(({ example, ids }) => plainPrompt([...(examples[example] as Example)[side], ...ids]));
  const batch: Batch = { examples: grown, length: (grown[0] as Example).clean.length };
  const vocabulary = engine.model.config.dVocabOut;
  const { plain, steered } = await nextTokens(engine, batch, { rows, writing });
  rows.forEach((row, i) => {
    const before = plain.subarray(i * vocabulary, (i + 1) * vocabulary);
    const now = row.coefficient === 0 ? before : steered.subarray(i * vocabulary, (i + 1) * vocabulary);
    const noise = Float64Array.from({ length: vocabulary }, () => row.noise.next().value);
    row.ids.push(drawToken(now, noise, sampling));
    row.divergence += divergence(now, before);
  });
}

/** Log-probabilities [rows, vocabulary] of the token after each text, without and with the vector. */
function nextTokens(
  engine: Engine,
  batch: Batch,
  { rows, writing }: { rows: readonly Row[]; writing: Writing },
): Promise<{ plain: Float64Array; steered: Float64Array }> {
  const { examples, question } = writing;
  const { vector, places } = question;
  return withCachedRun(engine, batch, 'clean', async (run: CachedRun) => {
    const plain = await answerLogProbabilities(engine, batch, {
      final: run.final,
      span: { start: 0, count: batch.length },
    });
    let steered = plain;
    const addition = additionOf(vector, batch, {
      positions: (i) => places.positions(0, examples[(rows[i] as Row).example] as Example, batch.length),
      factor: (i) => (rows[i] as Row).coefficient,
    });
    const ground = { engine, base: run, alternative: otherPrompt(engine, run, 0) };
    await steer(ground, addition, [1], {
      first: batch.length - 1,
      held: engine.model.config.dVocabOut,
      take: async (final, span) => {
        steered = await answerLogProbabilities(engine, batch, { final, span });
      },
    });
    return { plain, steered };
  });
}
