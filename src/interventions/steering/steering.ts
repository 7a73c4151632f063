/**
 * Steering: how a task's metric and the model's log-probabilities answer to a vector that is added at a site, dose by dose
 * (Turner et al. 2308.10248; Rimsky et al. 2312.06681).
 */
import { answerLogProbabilities, answersIn } from '../../engine/judging/answer-logs.js';
import { planBatches, type PlannedBatch } from '../../engine/core/batches.js';
import type { Engine } from '../../engine/core/engine.js';
import type { PromptSide } from '../../engine/model-run/prompts.js';
import { withSession, type Session } from '../../engine/questions/session.js';
import { steer } from '../../engine/questions/steered.js';
import { refuse } from '../../errors.js';
import type { AnswerSet, Example, MetricKey } from '../../task/types.js';
import { additionOf, type SteeringPlaces } from './places.js';
import type { SteeringVector } from './vectors.js';

export interface SteeringQuestion {
  readonly vector: SteeringVector;
  readonly places: SteeringPlaces;
  readonly coefficients: readonly number[];
  readonly metric: MetricKey;
  /** which prompts are steered */
  readonly side: PromptSide;
  readonly signal?: AbortSignal;
  /** doses × examples finished, of all */
  readonly onProgress?: (done: number, total: number) => void;
}

/** What a dose does to each example, and to the tokens that come next; means over an example's answers. */
export interface Response {
  /** [example] */
  readonly metric: Float64Array;
  /** log of the probability that one of the (in)correct answers comes next; NaN where the example names none */
  readonly correct: Float64Array;
  readonly incorrect: Float64Array;
  /** KL(this ‖ unsteered) of the next token, in nats */
  readonly divergence: Float64Array;
  /** log-probability of every token, mean over examples [vocabulary] */
  readonly logProbabilities: Float64Array;
}

export interface Dose extends Response {
  /** index of the place, and the coefficient */
  readonly place: number;
  readonly coefficient: number;
}

export interface Steering {
  /** the metric of the prompts as they are; `unsteered` is one of them */
  readonly clean: Float64Array;
  readonly corrupt: Float64Array;
  readonly unsteered: Response;
  /** places slowest */
  readonly doses: readonly Dose[];
}

/** @throws TheveninError interventions/steering: no coefficient, or one that is no number */
export function checkCoefficients(coefficients: readonly number[]): void {
  const wrong = coefficients.find((coefficient) => !Number.isFinite(coefficient));
  if (coefficients.length === 0 || wrong !== undefined)
    refuse(
      'interventions/steering',
      `${wrong === undefined ? 'no coefficient was given' : `${wrong} is no coefficient`}; give finite numbers such as -2,-1,0,1,2`,
    );
}

/**
 * Every dose on every example. A coefficient of 0 adds nothing and is not run. Cost: two forward passes, and at most one for each
 * place and coefficient.
 */
export async function steerTask(
  engine: Engine,
  examples: readonly Example[],
  question: SteeringQuestion,
): Promise<Steering> {
  checkCoefficients(question.coefficients);
  const { places, coefficients, metric, side } = question;
  const vocabulary = engine.model.config.dVocabOut;
  const empty = (): Response => emptyResponse(examples.length, vocabulary);
  const unsteered = empty();
  const doses = places.labels.flatMap((_, place) => coefficients.map((coefficient): Dose => ({ ...empty(), place, coefficient }))); // prettier-ignore
  const [clean, corrupt] = [new Float64Array(examples.length), new Float64Array(examples.length)];
  const total = doses.length * examples.length;
  let done = 0;
  const advance = (count: number): void => {
    question.signal?.throwIfAborted();
    question.onProgress?.((done += count), total);
  };
  for (const batch of planBatches(engine, examples).batches)
    await withSession(
      engine,
      batch,
      { metric, direction: side === 'clean' ? 'noising' : 'denoising' },
      async (session) => {
        batch.indices.forEach((place, e) => {
          clean[place] = session.clean[e] as number;
          corrupt[place] = session.corrupt[e] as number;
        });
        await steerBatch(session, batch, { question, unsteered, doses, share: 1 / examples.length, advance });
      },
    );
  return { clean, corrupt, unsteered, doses };
}

const emptyResponse = (examples: number, vocabulary: number): Response => ({
  ...{ metric: new Float64Array(examples), correct: new Float64Array(examples), incorrect: new Float64Array(examples) },
  ...{ divergence: new Float64Array(examples), logProbabilities: new Float64Array(vocabulary) },
});

interface Filling {
  readonly question: SteeringQuestion;
  readonly unsteered: Response;
  readonly doses: readonly Dose[];
  /** of one example in a mean */
  readonly share: number;
  readonly advance: (count: number) => void;
}

async function steerBatch({ bound, base }: Session, batch: PlannedBatch, filling: Filling): Promise<void> {
  const { question, unsteered, doses, advance } = filling;
  const { engine, judge } = bound;
  const { vector, places } = question;
  const whole = { start: 0, count: batch.length };
  const plain = await answerLogProbabilities(engine, batch, { final: bound.base.final, span: whole });
  const on = { batch, plain, share: filling.share };
  record(unsteered, on, { metric: base, logs: plain });
  for (const place of places.labels.keys()) {
    const own = doses.filter((dose) => dose.place === place);
    const asked = own.filter(({ coefficient }) => coefficient !== 0);
    for (const dose of own) if (dose.coefficient === 0) record(dose, on, { metric: base, logs: plain });
    const positions = (e: number): readonly number[] =>
      places.positions(place, batch.examples[e] as Example, batch.length);
    const coefficients = asked.map(({ coefficient }) => coefficient);
    await steer(bound, additionOf(vector, batch, { positions }), coefficients, {
      first: judge.firstAnswer,
      held: answersIn(batch) * engine.model.config.dVocabOut,
      take: async (final, span, from) => {
        const [values, logs] = [
          await judge.value(final, span),
          await answerLogProbabilities(engine, batch, { final, span }),
        ];
        const count = final.shape[0] as number;
        const part = (all: Float64Array, i: number): Float64Array =>
          all.subarray((i * all.length) / count, ((i + 1) * all.length) / count);
        for (let i = 0; i < count; i++)
          record(asked[from + i] as Dose, on, { metric: part(values, i), logs: part(logs, i) });
      },
    });
    advance(own.length * batch.examples.length);
  }
}

interface Recording {
  readonly batch: PlannedBatch;
  /** unsteered log-probabilities [examples, answers, vocabulary] */
  readonly plain: Float64Array;
  readonly share: number;
}

/** Fills in what one dose does to the examples of a batch. */
function record(
  into: Response,
  { batch, plain, share }: Recording,
  { metric, logs }: { metric: Float64Array; logs: Float64Array },
): void {
  const vocabulary = into.logProbabilities.length;
  const width = answersIn(batch);
  batch.examples.forEach(({ answers }, e) => {
    const place = batch.indices[e] as number;
    into.metric[place] = metric[e] as number;
    answers.forEach((answer, a) => {
      const from = (e * width + a) * vocabulary;
      const [now, before] = [logs.subarray(from, from + vocabulary), plain.subarray(from, from + vocabulary)];
      const weight = 1 / answers.length;
      into.correct[place] = (into.correct[place] as number) + weight * logOfAny(now, answer.correct);
      into.incorrect[place] = (into.incorrect[place] as number) + weight * logOfAny(now, answer.incorrect);
      into.divergence[place] = (into.divergence[place] as number) + weight * divergence(now, before);
      now.forEach((x, id) => (into.logProbabilities[id] = (into.logProbabilities[id] as number) + share * weight * x));
    });
  });
}

/** log Σ p over the answers; NaN for none. */
function logOfAny(logs: Float64Array, { ids }: AnswerSet): number {
  if (ids.length === 0) return NaN;
  return Math.log(ids.reduce((sum, id) => sum + Math.exp(logs[id] as number), 0));
}

/** KL(p ‖ q) of log-probabilities, in nats; never below 0 by rounding. */
export function divergence(p: Float64Array, q: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < p.length; i++) {
    const x = p[i] as number;
    const share = Math.exp(x);
    if (share > 0) sum += share * (x - (q[i] as number));
  }
  return Math.max(0, sum);
}

/** A token's mean log-probability without and with the vector. */
export interface TokenShift {
  readonly id: number;
  readonly before: number;
  readonly after: number;
}

/** The tokens whose log-probability rises, or falls, most; none that does not change. */
export function strongestShifts(
  dose: Response,
  unsteered: Response,
  count: number,
): { readonly rises: readonly TokenShift[]; readonly falls: readonly TokenShift[] } {
  const shifts = Array.from(dose.logProbabilities, (after, id): TokenShift => {
    return { id, before: unsteered.logProbabilities[id] as number, after };
  });
  const change = ({ before, after }: TokenShift): number => after - before;
  const order = shifts.sort((a, b) => change(b) - change(a) || a.id - b.id);
  const rises = order.slice(0, count).filter((shift) => change(shift) > 0);
  const falls = order.slice(-count).reverse().filter((shift) => change(shift) < 0); // prettier-ignore
  return { rises, falls };
}
