/** From the stream after the last layer to the task's metric, for one batch. */
import type { Answer, MetricKey } from '../../task/types.js';
import type { Tensor, Tensors } from '../../runtime/types.js';
import { Arena } from '../core/arena.js';
import type { Engine } from '../core/engine.js';
import { isProjection } from '../kernels/metric.js';
import { METRICS, type Metric } from '../metrics/index.js';
import type { CachedRun } from '../model-run/prompts.js';
import type { Batch } from '../core/batches.js';
import { makeSpan, type Span } from '../core/span.js';
import { requireFinite } from '../core/finite.js';
import type { Judge } from '../core/judge.js';

/** @param clean the clean run, which some metrics compare with */
export async function makeJudge(
  engine: Engine,
  batch: Batch,
  of: { metric: MetricKey; clean: CachedRun },
): Promise<Judge> {
  const metric = METRICS[of.metric];
  const arena = new Arena();
  const answers = Math.max(...batch.examples.map((example) => example.answers.length));
  const table = new AnswerTable(batch, answers);
  const projects = isProjection(metric, engine.model.config);
  const inputs0 = projects ? directionInput : INPUTS[metric.reads];
  const own = arena.own(await inputs0({ engine, table, metric, clean: of.clean }));
  const fixed: Tensors = { ...arena.own(table.weightTensor(engine)), ...own };
  const offset = projects ? await biasOffset(engine, table, metric) : new Float64Array(batch.examples.length);
  const inputs = (final: Tensor, rows: Tensor): Tensors => ({ x: final, ...fixed, 'answer.rows': rows });
  return {
    metric,
    firstAnswer: table.first,
    async value(final, span) {
      const rows = table.rows(engine, span);
      const result = await engine.run({ name: 'metric', variant: { metric }, inputs: inputs(final, rows) });
      return requireFinite(engine, await finish(result['metric'] as Tensor, [rows], offset), 'the metric');
    },
    async gradient(final, span, { weights, frozenNorm = false }) {
      const rows = table.rows(engine, span);
      const weight = engine.runtime.tensor(engine.precise(Float64Array.from(weights)), [weights.length, 1]);
      const given = { ...inputs(final, rows), 'question.weight': weight };
      const result = await engine.run({ name: 'metricGradient', variant: { metric, frozenNorm }, inputs: given });
      const value = await finish(result['metric'] as Tensor, [rows, weight], offset);
      return { value: requireFinite(engine, value, 'the metric'), gradient: result['gradient'] as Tensor };
    },
    dispose: () => arena.dispose(),
  };
}

async function finish(metric: Tensor, spent: readonly Tensor[], offset: Float64Array): Promise<Float64Array> {
  const value = Float64Array.from(await metric.read(), (x, i) => x + (offset[i % offset.length] as number));
  for (const tensor of [metric, ...spent]) tensor.dispose();
  return value;
}

/** The answers of a batch as a rectangle [examples, answers]; examples with fewer answers are filled with weight 0. */
class AnswerTable {
  readonly first: number;
  constructor(
    readonly batch: Batch,
    readonly width: number,
  ) {
    this.first = Math.min(...batch.examples.flatMap(({ answers }) => answers.map(({ position }) => position)));
  }

  get size(): number {
    return this.batch.examples.length * this.width;
  }

  cells(): (Answer | null)[] {
    return this.batch.examples.flatMap(({ answers }) =>
      Array.from({ length: this.width }, (_, i) => answers[i] ?? null),
    );
  }

  weightTensor(engine: Engine): Tensors {
    const weights = this.batch.examples.flatMap(({ answers }) =>
      Array.from({ length: this.width }, (_, i) => (i < answers.length ? 1 / answers.length : 0)),
    );
    return {
      'answer.weights': engine.runtime.tensor(engine.precise(Float64Array.from(weights)), [
        this.batch.examples.length,
        this.width,
      ]),
    };
  }

  /** index of each answer's row among the span's (example, position) pairs */
  rows(engine: Engine, span: Span): Tensor {
    const rows = this.cells().map((answer, at) => {
      const example = Math.floor(at / this.width);
      const position = answer?.position ?? span.length - 1;
      return example * span.count + position - span.start;
    });
    return engine.runtime.tensor(Int32Array.from(rows), [this.batch.examples.length, this.width], 'int');
  }
}

interface InputContext {
  readonly engine: Engine;
  readonly table: AnswerTable;
  readonly metric: Metric;
  readonly clean: CachedRun;
}

const cellShape = ({ table }: InputContext): number[] => [table.batch.examples.length, table.width];

async function directionInput(context: InputContext): Promise<Tensors> {
  const direction = await directions(context);
  return {
    direction: context.engine.runtime.tensor(direction, [...cellShape(context), context.engine.model.config.dModel]),
  };
}

/** What each kind of metric reads beside the logits. */
const INPUTS: { readonly [Kind in Metric['reads']]: (context: InputContext) => Promise<Tensors> } = {
  weights: async (context) => {
    const vocabulary = context.engine.model.config.dVocabOut;
    const weights = new Float32Array(context.table.size * vocabulary);
    context.table.cells().forEach((answer, at) => {
      if (answer) for (const [id, weight] of context.metric.weights(answer)) weights[at * vocabulary + id] = weight;
    });
    return { weights: context.engine.runtime.tensor(weights, [...cellShape(context), vocabulary]) };
  },
  target: async (context) => {
    const targets = context.table.cells().map((answer) => answer?.target ?? 0);
    return {
      target: context.engine.runtime.tensor(context.engine.precise(Float64Array.from(targets)), cellShape(context)),
    };
  },
  clean: cleanLogProbabilities,
};

/** Σ over answer tokens of weight · W_U[:, token], one vector of d per answer. */
async function directions({ engine, table, metric }: InputContext): Promise<Float32Array | Float64Array> {
  const { dModel } = engine.model.config;
  const weights = table.cells().map((answer) => (answer ? metric.weights(answer) : new Map<number, number>()));
  const ids = [...new Set(weights.flatMap((one) => [...one.keys()]))];
  const columns = await engine.model.weights.columns('unembed.W_U', ids);
  const result = new Float64Array(table.size * dModel);
  weights.forEach((one, at) => {
    for (const [id, weight] of one) {
      const from = ids.indexOf(id) * dModel;
      for (let j = 0; j < dModel; j++)
        result[at * dModel + j] = (result[at * dModel + j] as number) + weight * (columns[from + j] as number);
    }
  });
  return engine.precise(result);
}

/** What the unembedding's bias adds to a linear metric, per example. */
async function biasOffset(engine: Engine, table: AnswerTable, metric: Metric): Promise<Float64Array> {
  const offset = new Float64Array(table.batch.examples.length);
  if (!engine.arithmetic.has.unembedBias) return offset;
  const bias = await engine.model.weights.read('unembed.b_U');
  table.cells().forEach((answer, at) => {
    if (!answer) return;
    const example = Math.floor(at / table.width);
    const share = 1 / (table.batch.examples[example] as { answers: readonly unknown[] }).answers.length;
    for (const [id, weight] of metric.weights(answer))
      offset[example] = (offset[example] as number) + share * weight * (bias[id] as number);
  });
  return offset;
}

async function cleanLogProbabilities({ engine, table, clean: run }: InputContext): Promise<Tensors> {
  const span = makeSpan(engine, 0, run.length);
  const rows = table.rows(engine, span);
  try {
    const result = await engine.run({
      name: 'logits',
      inputs: { x: run.final, 'answer.rows': rows },
      wanted: ['logProbabilities'],
    });
    const values = result['logProbabilities'] as Tensor; // [1, examples, answers, vocabulary]
    const clean = engine.runtime.reshape(values, values.shape.slice(1));
    values.dispose();
    return { clean };
  } finally {
    rows.dispose();
    span.dispose();
  }
}
