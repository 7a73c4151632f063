/** From the stream after the last layer to the metric, and back. */
import { normalise, unembed, type Arithmetic } from '../../model/blocks.js';
import type { ModelConfig } from '../../model/types.js';
import * as p from '../../program/index.js';
import type { Program, Value } from '../../program/index.js';
import type { Metric } from '../metrics/types.js';
import { B, POS, Q, stream } from './dims.js';
import { frozenNormalise, withoutNorm } from './frozen-norm.js';

const ANSWERS = 'answers';

/** The stream at the answer positions, [questions, examples, answers, d]; `answer.rows` index (example, position) pairs. */
function atAnswers(x: Value, { config }: Arithmetic): Value {
  const rows = p.multiplyDims(B, ANSWERS);
  const flat = p.reshape(x, [Q, p.multiplyDims(B, POS), config.dModel]);
  const picked = p.gather(flat, p.reshape(p.input('answer.rows', [B, ANSWERS], 'int'), [rows]), 1);
  return p.reshape(picked, [Q, B, ANSWERS, config.dModel]);
}

/** Mean over the example's answers: weights [examples, answers] sum to 1. */
const overAnswers = (values: Value): Value => p.sum(p.mul(values, p.input('answer.weights', [B, ANSWERS])), [-1]);

/** A metric linear in the logits: final norm · direction, where direction = W_U · the answers' weights. */
function linearMetric(x: Value, arithmetic: Arithmetic): Value {
  const normed = normalise(atAnswers(x, arithmetic), 'lnFinal', arithmetic);
  const direction = p.input('direction', [B, ANSWERS, arithmetic.config.dModel]);
  return overAnswers(p.sum(p.mul(normed, direction), [-1]));
}

function vocabularyMetric(x: Value, metric: Metric, arithmetic: Arithmetic): Value {
  const vocabulary = arithmetic.config.dVocabOut;
  const logits = unembed(atAnswers(x, arithmetic), arithmetic);
  const given = (name: string) => (): Value => p.input(name, [B, ANSWERS, vocabulary]);
  const target = (): Value => p.input('target', [B, ANSWERS]);
  return overAnswers(metric.build(logits, { weights: given('weights'), clean: given('clean'), target }));
}

/** Whether a metric is a product with the normed stream, so that nothing need be unembedded: it is linear, and so are the logits. */
export const isProjection = ({ linear }: Metric, { logitCap }: ModelConfig): boolean =>
  linear && logitCap === undefined;

const metricValue = (x: Value, metric: Metric, arithmetic: Arithmetic): Value =>
  isProjection(metric, arithmetic.config) ? linearMetric(x, arithmetic) : vocabularyMetric(x, metric, arithmetic);

/** final stream → metric [questions, examples]. */
export function metric(arithmetic: Arithmetic, variant: { metric: Metric }): Program {
  return p.makeProgram('metric', { metric: metricValue(stream('x', arithmetic.config), variant.metric, arithmetic) });
}

/** … and the gradient of Σ questionWeight · metric at the final stream. */
export function metricGradient(arithmetic: Arithmetic, variant: { metric: Metric; frozenNorm: boolean }): Program {
  const { config } = arithmetic;
  const x = stream('x', config);
  const value = variant.frozenNorm
    ? metricValue(
        frozenNormalise(x, 'lnFinal', { arithmetic, frozen: stream('x', config) }),
        variant.metric,
        withoutNorm(arithmetic),
      )
    : metricValue(x, variant.metric, arithmetic);
  const weight = p.broadcast(p.input('question.weight', [Q, 1]), value.shape);
  const [gradient] = p.differentiate([{ of: value, gradient: weight }], [x]);
  return p.makeProgram('metricGradient', { metric: value, gradient: gradient as Value });
}

/** final stream → logits at the answer positions [questions, examples, answers, vocabulary], and their log-softmax. */
export function logits(arithmetic: Arithmetic): Program {
  const values = unembed(atAnswers(stream('x', arithmetic.config), arithmetic), arithmetic);
  return p.makeProgram('logits', { logits: values, logProbabilities: p.logSoftmax(values) });
}
