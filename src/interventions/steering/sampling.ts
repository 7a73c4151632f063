/**
 * Sampling a next token by the Gumbel-max trick: the token with the largest log p / T + g, each g drawn from a Gumbel distribution,
 * is a draw from the softmax of log p / T. Two models that are given the same g choose alike wherever their distributions allow it,
 * so that continuations side by side differ because of the model and not because of chance (Oberst & Sontag 1905.05824).
 */
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { refuse } from '../../errors.js';

export interface Sampling {
  /** how many are written */
  readonly tokens: number;
  /** above 0; log-probabilities are divided by it */
  readonly temperature: number;
  /** only so many of the most probable tokens; undefined: all */
  readonly topK: number | undefined;
  /** only the fewest most probable tokens that have this much probability together; undefined: all */
  readonly topP: number | undefined;
  /** continuations of each prompt */
  readonly samples: number;
  readonly seed: number;
}

export const SAMPLING_DEFAULTS: Sampling = {
  ...{ tokens: 20, temperature: 1, topK: undefined, topP: undefined, samples: 1, seed: 0 },
};

/** @throws TheveninError interventions/sampling */
export function checkSampling({ tokens, temperature, topK, topP, samples }: Sampling): void {
  const whole = (x: number): boolean => Number.isInteger(x) && x > 0;
  const wrong =
    (!whole(tokens) && `${tokens} tokens cannot be written; give a whole number from 1 up`) ||
    (!whole(samples) && `${samples} continuations cannot be drawn; give a whole number from 1 up`) ||
    (!(temperature > 0 && Number.isFinite(temperature)) &&
      `a temperature of ${temperature} is no temperature; give one above 0, or for the most probable token alone --top-k 1`) ||
    (topK !== undefined &&
      !whole(topK) &&
      `the most probable ${topK} tokens are none; give a whole number from 1 up`) ||
    (topP !== undefined && !(topP > 0 && topP <= 1) && `a share of ${topP} is no probability above 0 and up to 1`);
  if (wrong !== false) refuse('interventions/sampling', wrong);
}

/** An endless stream of Gumbel noise, −log(−log u). */
export function* gumbels(seed: number): Generator<number, never> {
  const source = xoroshiro128plus(seed);
  for (;;) {
    const [high, low] = [(source.next() >>> 0) >>> 5, (source.next() >>> 0) >>> 6];
    const u = (high * 2 ** 26 + low + 0.5) / 2 ** 53; // never 0 or 1
    yield -Math.log(-Math.log(u));
  }
}

/** Seeds of independent streams. */
export function seedsFrom(seed: number, count: number): number[] {
  const source = xoroshiro128plus(seed);
  return Array.from({ length: count }, () => source.next());
}

/**
 * The token drawn from log-probabilities [vocabulary] with a Gumbel number for each token. As elsewhere the temperature is applied
 * first, then top-k, then top-p of what is left.
 */
export function drawToken(
  logs: Float64Array,
  noise: Float64Array,
  { temperature, topK, topP }: Pick<Sampling, 'temperature' | 'topK' | 'topP'>,
): number {
  let [best, height] = [-1, -Infinity];
  const scaled = logs.map((x) => x / temperature);
  for (const id of candidates(scaled, topK, topP)) {
    const own = (scaled[id] as number) + (noise[id] as number);
    if (own > height) [best, height] = [id, own];
  }
  return best;
}

function candidates(scaled: Float64Array, topK?: number, topP?: number): Iterable<number> {
  if (topK === undefined && topP === undefined) return scaled.keys();
  const order = Array.from(scaled.keys()).sort((a, b) => (scaled[b] as number) - (scaled[a] as number) || a - b);
  const kept = order.slice(0, topK);
  return topP === undefined ? kept : kept.slice(0, nucleus(kept.map((id) => scaled[id] as number), topP)); // prettier-ignore
}

/** How many of the tokens, most probable first, have a share of `topP` together. */
function nucleus(scaled: readonly number[], topP: number): number {
  const weights = scaled.map((x) => Math.exp(x - (scaled[0] as number)));
  const wanted = topP * weights.reduce((sum, weight) => sum + weight, 0);
  let sum = 0;
  const last = weights.findIndex((weight) => (sum += weight) >= wanted);
  return last < 0 ? weights.length : last + 1;
}
