/** The first primitive: questions in, metrics out. */
import type { MetricKey } from '../../task/types.js';
import { answerCircuits } from './answer-circuits.js';
import { answerEdges } from './answer-edges.js';
import type { Engine } from '../core/engine.js';
import { makeJudge } from '../judging/judge.js';
import { answerSites } from './answer-sites.js';
import { withPrompts, type Prompts } from '../model-run/prompts.js';
import type { Batch } from '../core/batches.js';
import type { Question } from './questions.js';
import type { Direction } from '../sources/kinds.js';
import type { BoundRun } from '../model-run/bound-run.js';
import { otherPrompt, type AlternativeMaker } from '../sources/index.js';
import { makeSpan } from '../core/span.js';

export interface AskOptions {
  readonly metric: MetricKey;
  readonly direction: Direction;
  /** where values come from; default the other prompt */
  readonly source?: AlternativeMaker | undefined;
}

/** Prompts run, alternatives made, metric ready: questions can be asked. */
export interface Session {
  readonly bound: BoundRun;
  readonly prompts: Prompts;
  /** metric of each example without intervention: of the base run, and of the run the alternatives came from */
  readonly base: Float64Array;
  readonly clean: Float64Array;
  readonly corrupt: Float64Array;
  /** the metric [question][example] */
  ask(questions: readonly Question[]): Promise<Float64Array[]>;
}

/**
 * Opens a session on a batch, hands it to `work`, and gives everything back. Cost: two forward passes.
 *
 * `ask` answers in the units of the metric (logit differences and log-probabilities in nats, probability differences 0 … 1), one
 * number for each question and example: the metric of the run with the intervention made, not its change.
 *
 * @example
 * ```ts
 * import { checkTask, createRuntime, Engine, loadModel, planBatches, resolveTask, withSession } from 'thevenin';
 *
 * const model = await loadModel('induction');
 * const runtime = await createRuntime('auto');
 * const engine = new Engine(model, runtime);
 * const { file, path } = await resolveTask('induction', model, { count: 8 });
 * const { task } = checkTask(file, { path, tokenizer: model.tokenizer, config: model.config, seed: 0, split: false });
 * for (const batch of planBatches(engine, task!.examples).batches)
 *   await withSession(engine, batch, { metric: task!.metric, direction: 'noising' }, async ({ ask, clean }) => {
 *     const edge = engine.universe.edgeIndex('a0.h0->a1.h0<k>')!;
 *     const [cut] = await ask([{ kind: 'edge', edge }]); // [example]
 *     console.log(clean.map((metric, example) => metric - cut![example]!)); // what losing the edge costs, positive: it helps
 *   });
 * await engine.dispose();
 * await runtime.dispose();
 * await model.dispose();
 * ```
 */
export async function withSession<T>(
  engine: Engine,
  batch: Batch,
  options: AskOptions,
  work: (session: Session) => Promise<T>,
): Promise<T> {
  return withPrompts(engine, batch, async (prompts) => {
    const { clean, corrupt, firstChange } = prompts;
    const judge = await makeJudge(engine, batch, { metric: options.metric, clean });
    const [base, other] = options.direction === 'noising' ? [clean, corrupt] : [corrupt, clean];
    const alternative = await (options.source ?? ownOther(engine))(batch, { other, firstChange });
    const span = makeSpan(engine, 0, batch.length);
    try {
      const bound: BoundRun = { engine, batch, base, alternative, judge };
      const metrics = { clean: await judge.value(clean.final, span), corrupt: await judge.value(corrupt.final, span) };
      const own = options.direction === 'noising' ? metrics.clean : metrics.corrupt;
      return await work({ bound, prompts, base: own, ...metrics, ask: (questions) => ask(bound, questions, own) });
    } finally {
      span.dispose();
      alternative.dispose();
      judge.dispose();
    }
  });
}

const ownOther =
  (engine: Engine): AlternativeMaker =>
  (_, { other, firstChange }) =>
    Promise.resolve(otherPrompt(engine, other, firstChange));

/** Answers every question in the order given; questions of a kind are run together. */
async function ask(bound: BoundRun, questions: readonly Question[], base: Float64Array): Promise<Float64Array[]> {
  const answers: Float64Array[] = questions.map(() => base);
  const place = (indices: readonly number[], values: readonly Float64Array[]): void =>
    indices.forEach((index, i) => (answers[index] = values[i] as Float64Array));
  const sites = select(questions, 'sites');
  place(
    sites.indices,
    await answerSites(
      bound,
      sites.items.map((one) => one.sites),
      base,
    ),
  );
  const edges = select(questions, 'edge');
  place(
    edges.indices,
    await answerEdges(
      bound,
      edges.items.map(({ weight = 1, ...cut }) => ({ ...cut, weight })),
      base,
    ),
  );
  const circuits = select(questions, 'circuit');
  if (circuits.items.length > 0)
    place(
      circuits.indices,
      await answerCircuits(
        bound,
        circuits.items.map(({ keep }) => keep),
      ),
    );
  return answers;
}

function select<Kind extends Question['kind']>(questions: readonly Question[], kind: Kind) {
  const indices: number[] = [];
  const items: Extract<Question, { kind: Kind }>[] = [];
  questions.forEach((question, index) => {
    if (question.kind !== kind) return;
    indices.push(index);
    items.push(question as Extract<Question, { kind: Kind }>);
  });
  return { indices, items };
}
