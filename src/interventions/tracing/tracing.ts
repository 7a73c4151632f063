/**
 * Causal tracing (Meng et al. 2202.05262, as in their published code): the subject's token embeddings get Gaussian noise of scale ν
 * = 3 σ, σ the standard deviation over all elements of the embeddings of all subjects; then single states, or windows of
 * attention or MLP outputs, are given back their clean value at one token, and the probability of the clean answer is read.
 *
 *     indirect effect(layer, token) = E_noise p(answer | noise, restored at (layer, token)) − E_noise p(answer | noise)
 */
import type { Engine } from '../../engine/core/engine.js';
import { tokenEmbeddings } from '../../engine/model-run/prompts.js';
import { withNoise } from '../../engine/questions/noised.js';
import type { Site, SiteKind } from '../../engine/questions/questions.js';
import { refuse } from '../../errors.js';
import { normals } from './noise.js';

/** A prompt with its subject and the token that the model says comes next. */
export interface SubjectPrompt {
  readonly ids: readonly number[];
  readonly subject: readonly [first: number, afterLast: number];
  readonly answer: number;
}

export interface TraceKind {
  readonly key: SiteKind;
  readonly title: string;
  /** one layer's value at a time, or those of a window of layers */
  readonly windowed: boolean;
}

/** What is restored; a new one is a line here. */
export const TRACES: readonly TraceKind[] = [
  { key: 'resid-post', title: 'state after each layer', windowed: false },
  { key: 'attention-out', title: 'outputs of attention', windowed: true },
  { key: 'mlp-out', title: 'outputs of MLPs', windowed: true },
];

export interface TraceOptions {
  /** ν, the standard deviation of the noise; not 0 */
  readonly noise: number;
  readonly samples: number;
  /** layers restored together in windows */
  readonly window: number;
  readonly seed: number;
}

export const TRACE_DEFAULTS: Omit<TraceOptions, 'noise'> = { samples: 10, window: 10, seed: 1 };

export interface TracedPrompt {
  /** probability of the answer, and its mean under noise */
  readonly clean: number;
  readonly noised: number;
  /** indirect effects of each kind asked, [layer, position] */
  readonly effects: readonly Float64Array[];
}

/**
 * The layers of a window around one, as the published code has them: l − ⌊n/2⌋ … l + ⌈n/2⌉ − 1, cut off at the ends of the model;
 * ten layers reach from l − 5 to l + 4.
 */
export function windowAround(layer: number, size: number, nLayers: number): number[] {
  const first = Math.max(0, layer - Math.floor(size / 2));
  const after = Math.min(nLayers, layer + Math.ceil(size / 2));
  return Array.from({ length: after - first }, (_, i) => first + i);
}

/**
 * Traces one prompt. The same seed gives every prompt the same stream of noise, as in the published code. Cost: two forward
 * passes per sample, and at most one per kind, layer, token and sample.
 * @throws TheveninError interventions/noise
 */
export async function tracePrompt(
  engine: Engine,
  { ids, subject, answer }: SubjectPrompt,
  kinds: readonly TraceKind[],
  { noise, samples, window, seed }: TraceOptions,
): Promise<TracedPrompt> {
  if (!(noise > 0))
    refuse(
      'interventions/noise',
      `noise of scale ${noise} corrupts nothing; give a scale above 0 (ROME: 3 standard deviations)`,
    );
  const { nLayers, dModel } = engine.model.config;
  const [first, afterLast] = subject;
  const draws = normals(seed);
  const noises = Array.from({ length: samples }, () =>
    Float64Array.from({ length: (afterLast - first) * dModel }, () => noise * draws.next().value),
  );
  const correct = { ids: [answer], weights: [1] };
  const answers = [{ position: ids.length - 1, correct, incorrect: { ids: [], weights: [] } }];
  const example = { index: 0, clean: ids, corrupt: ids, answers, spans: {}, group: null };
  const asked = { samples: noises, from: first, metric: 'log-probability' as const };
  return withNoise(engine, example, asked, async (prompt) => {
    const noised = meanProbability(prompt.noised);
    const effects: Float64Array[] = [];
    for (const { key, windowed } of kinds) {
      const questions = Array.from({ length: nLayers }, (_, layer) => windowAround(layer, windowed ? window : 1, nLayers))
        .flatMap((layers) => ids.map((_, position) => layers.map((layer): Site => ({ kind: key, layer, positions: [position] })))); // prettier-ignore
      const answers = await prompt.restore(questions);
      effects.push(Float64Array.from(answers, (restored) => meanProbability(restored) - noised));
    }
    return { clean: Math.exp(prompt.clean), noised, effects };
  });
}

/** The mean of probabilities given as logarithms. */
const meanProbability = (logs: Float64Array): number => logs.reduce((sum, log) => sum + Math.exp(log), 0) / logs.length;

/** σ: the standard deviation over all elements of the token embeddings of all subjects (n − 1 in the denominator). */
export async function embeddingDeviation(engine: Engine, subjects: readonly (readonly number[])[]): Promise<number> {
  let [count, mean, squares] = [0, 0, 0];
  for (const ids of subjects)
    for (const x of await tokenEmbeddings(engine, ids)) {
      count++;
      const step = x - mean;
      mean += step / count;
      squares += step * (x - mean); // Welford
    }
  return Math.sqrt(squares / (count - 1));
}

type Range = readonly [first: number, afterLast: number];
const range = (from: number, to: number): number[] =>
  Array.from({ length: Math.max(0, to - from) }, (_, i) => from + i);

export interface Bucket {
  readonly name: string;
  /** of a prompt of this length; tokens before the subject are in none */
  positions(subject: Range, length: number): number[];
}

/** The six kinds of tokens that effects are averaged over; a token can be of two. */
export const BUCKETS: readonly Bucket[] = [
  { name: 'first subject token', positions: ([first]) => [first] },
  { name: 'middle subject tokens', positions: ([first, after]) => range(first + 1, after - 1) },
  { name: 'last subject token', positions: ([, after]) => [after - 1] },
  { name: 'first subsequent token', positions: ([, after], length) => range(after, Math.min(after + 1, length)) },
  { name: 'further tokens', positions: ([, after], length) => range(after + 1, length - 1) },
  { name: 'last token', positions: (_, length) => [length - 1] },
];
