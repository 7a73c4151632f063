/** Programs that contract a gradient at a site with what the site would say differently, node by node and position by position. */
import { neuronsOutput, normsWrites, type Arithmetic } from '../../model/blocks.js';
import * as p from '../../program/index.js';
import type { Program, Value } from '../../program/index.js';
import { atPositions, B, cachedHeads, cachedStream, heads, LENGTH, POS, Q, stream } from './dims.js';

/** Σ over questions (points of an integral, their weights in the gradients already) of a gradient [questions, …]. */
const overPoints = (gradient: Value): Value => p.sum(gradient, [0], true);

/** ⟨alternative − now, gradient⟩ over d, of a site in the stream: [examples, 1, pos]. */
export function streamNodes({ config }: Arithmetic): Program {
  const difference = p.sub(cachedStream('alt', config), cachedStream('now', config));
  const products = p.mul(difference, overPoints(stream('gradient', config))); // [1, examples, pos, d]
  return p.makeProgram('streamNodes', { scores: p.reshape(p.sum(products, [-1]), [B, 1, POS]) });
}

/** The same of every head's query, key, value or output: [examples, heads, pos]; of all heads `together`: [examples, 1, pos]. */
export function headNodes({ config }: Arithmetic, { together }: { together: boolean }): Program {
  const difference = p.sub(atPositions(cachedHeads('alt', config)), atPositions(cachedHeads('now', config)));
  const products = p.sum(p.mul(difference, overPoints(heads('gradient', config))), [-1]); // [1, examples, heads, pos]
  const each = p.reshape(products, [B, config.nHeads, POS]);
  return p.makeProgram('headNodes', { scores: together ? p.sum(each, [1], true) : each });
}

/** The gradient at neurons through the norm that follows the MLP, at what the neurons are at each point, `active`. */
function behindNorm(arithmetic: Arithmetic): Value {
  const active = p.input('active', [Q, B, POS, arithmetic.config.dMlp]);
  const of = neuronsOutput(active, arithmetic);
  return p.differentiate([{ of, gradient: stream('gradient', arithmetic.config) }], [active])[0] as Value;
}

/** The same of every neuron, from the gradient at the stream that the MLP writes to: [examples, neurons, pos]. */
export function neuronNodes(arithmetic: Arithmetic): Program {
  const { config } = arithmetic;
  const { dMlp, dModel } = config;
  const cached = (name: string): Value =>
    p.gather(p.input(name, [1, B, LENGTH, dMlp]), p.input('positions', [POS], 'int'), 2);
  const out = (): Value => p.parameter('mlp.out', [dMlp, dModel]);
  const gradient = normsWrites(arithmetic)
    ? overPoints(behindNorm(arithmetic))
    : p.matmul(overPoints(stream('gradient', config)), p.swapLast(out())); // [1, examples, pos, dMlp]
  const products = p.mul(p.sub(cached('alt'), cached('now')), gradient);
  return p.makeProgram('neuronNodes', { scores: p.swapLast(p.reshape(products, [B, POS, dMlp])) });
}
