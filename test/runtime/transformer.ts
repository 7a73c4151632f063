/** A small transformer out of program ops: a whole model for tests of runtimes, with named batch and position. */
import * as o from '../../src/program/index.js';
import type { Program, Value } from '../../src/program/index.js';
import { fill, uniform } from '../helpers/op-cases.js';

const SHAPE = { heads: 2, dModel: 8, dHead: 4, dMlp: 16, vocabulary: 11, context: 8 } as const;
const { heads, dModel, dHead, dMlp, vocabulary, context } = SHAPE;

type Weights = Readonly<Record<string, Value>>;

/** name → shape */
const weightShapes = (layers: number): Readonly<Record<string, readonly number[]>> =>
  Object.fromEntries([
    ['W_E', [vocabulary, dModel]],
    ['W_pos', [context, dModel]],
    ...Array.from({ length: layers }, (_, l) => [
      [`ln1.w.${l}`, [dModel]],
      [`ln1.b.${l}`, [dModel]],
      [`W_Q.${l}`, [heads, dModel, dHead]],
      [`W_K.${l}`, [heads, dModel, dHead]],
      [`W_V.${l}`, [heads, dModel, dHead]],
      [`W_O.${l}`, [heads, dHead, dModel]],
      [`ln2.w.${l}`, [dModel]],
      [`W_in.${l}`, [dModel, dMlp]],
      [`W_out.${l}`, [dMlp, dModel]],
    ]).flat(),
    ['W_U', [vocabulary, dModel]],
  ]);

/** Causal attention; queries may look at keys no later than themselves. */
function attention(x: Value, w: Weights, layer: number): Value {
  const project = (name: string): Value => o.matmul(o.reshape(x, ['batch', 1, 'pos', dModel]), w[`${name}.${layer}`]!);
  const [q, k, v] = ['W_Q', 'W_K', 'W_V'].map(project) as [Value, Value, Value]; // [batch, head, pos, dHead]
  const scores = o.div(o.matmul(q, o.swapLast(k)), Math.sqrt(dHead)); // [batch, head, query, key]
  const position = o.input('position', ['pos']);
  const later = o.greater(position, o.reshape(position, ['pos', 1])); // [query, key]
  const pattern = o.softmax(o.where(later, -1e9, scores));
  const z = o.matmul(pattern, v); // [batch, head, pos, dHead]
  return o.sum(o.matmul(z, w[`W_O.${layer}`]!), [1]); // [batch, pos, dModel]
}

function model(w: Weights, layers: number): { logits: Value; middle: Value } {
  const tokens = o.input('tokens', ['batch', 'pos'], 'int');
  const places = o.input('places', ['pos'], 'int');
  let x = o.add(o.gather(w['W_E']!, tokens, 0), o.gather(w['W_pos']!, places, 0)); // [batch, pos, dModel]
  let middle = x;
  for (let l = 0; l < layers; l++) {
    const first = o.layerNorm(x, { weight: w[`ln1.w.${l}`]!, bias: w[`ln1.b.${l}`]! }, 1e-5);
    x = o.add(x, attention(first, w, l));
    if (l === 0) middle = x;
    const hidden = o.geluTanh(o.matmul(o.rmsNorm(x, w[`ln2.w.${l}`]!, 1e-5), w[`W_in.${l}`]!)); // [batch, pos, dMlp]
    x = o.add(x, o.matmul(hidden, w[`W_out.${l}`]!));
  }
  return { logits: o.matmul(x, o.swapLast(w['W_U']!)), middle }; // [batch, pos, vocabulary]
}

/** Logits, the mean log-probability of `answers`, and its gradient by an activation and by every weight. */
export function transformerProgram(layers: number): Program {
  const w = Object.fromEntries(
    Object.entries(weightShapes(layers)).map(([name, shape]) => [name, o.parameter(name, shape)]),
  );
  const { logits, middle } = model(w, layers);
  const answers = o.input('answers', ['batch', 'pos', vocabulary]); // one-hot
  const metric = o.mean(o.sum(o.mul(o.logSoftmax(logits), answers), [-1]), [0, 1]);
  const wrt = { middle, ...w };
  const gradients = o.differentiate([{ of: metric, gradient: o.literal(1) }], Object.values(wrt));
  return o.makeProgram('transformer', {
    logits,
    metric,
    ...Object.fromEntries(Object.keys(wrt).map((name, i) => [`gradient ${name}`, gradients[i]!])),
  });
}

/** Seeded weights of a realistic size, and prompts. */
export function transformerNumbers(
  layers: number,
  [batch, pos]: readonly [batch: number, pos: number],
): Record<string, Float64Array | Int32Array> {
  const random = uniform(11);
  const weights = Object.entries(weightShapes(layers)).map(([name, shape]) => {
    const size = shape.reduce((a, b) => a * b, 1);
    return [name, fill({ shape, range: [0.05, 0.6] }, size, random).map(Math.fround)] as const;
  });
  const answers = new Float64Array(batch * pos * vocabulary);
  for (let i = 0; i < batch * pos; i++) answers[i * vocabulary + Math.floor(random() * vocabulary)] = 1;
  return {
    ...Object.fromEntries(weights),
    answers,
    tokens: fill({ shape: [], dtype: 'int', range: [0, vocabulary] }, batch * pos, random),
    places: Int32Array.from({ length: pos }, (_, i) => i),
    position: Float64Array.from({ length: pos }, (_, i) => i),
  };
}
