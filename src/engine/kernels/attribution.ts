/** Programs that only some methods of attribution need. */
import type { Arithmetic } from '../../model/blocks.js';
import * as p from '../../program/index.js';
import type { Program } from '../../program/index.js';
import { B, cachedStream, POS, stream } from './dims.js';

/** Sum of several streams [questions, examples, pos, d]. */
export function sumStreams(arithmetic: Arithmetic, variant: { count: number }): Program {
  const streams = Array.from({ length: variant.count }, (_, i) => stream(`x${i}`, arithmetic.config));
  return p.makeProgram('sumStreams', { x: streams.reduce((sum, x) => p.add(sum, x)) });
}

/** A stream summed over questions: [1, examples, pos, d]. */
export function sumQuestions(arithmetic: Arithmetic): Program {
  return p.makeProgram('sumQuestions', { x: p.sum(stream('x', arithmetic.config), [0], true) });
}

/**
 * How far the first `count` senders' outputs x_s carry a stream y: max(0, |y|₁ − |y − x_s|₁) per position, from −x_s
 * [examples, senders, pos, d]: [examples, count, pos]. (Ferrando & Voita, arXiv:2403.00824, eq. 5)
 */
export function proximity({ config }: Arithmetic, variant: { count: number }): Program {
  const all = p.input('minus.outputs', [B, 'senders', POS, config.dModel]);
  const y = p.reshape(cachedStream('y', config), [B, 1, POS, config.dModel]);
  const rest = p.sum(p.abs(p.add(y, p.slice(all, 1, [0, variant.count]))), [-1]);
  return p.makeProgram('proximity', { proximity: p.relu(p.sub(p.sum(p.abs(y), [-1]), rest)) });
}
