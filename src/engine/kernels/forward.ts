/** The steps of a forward pass through one layer, each a program of its own, so that a question runs only those it needs. */
import {
  attentionOutput,
  attentionPattern,
  mlp,
  normsWrites,
  projectHeads,
  type Arithmetic,
} from '../../model/blocks.js';
import * as p from '../../program/index.js';
import type { Program, Value } from '../../program/index.js';
import {
  atPositions,
  B,
  cachedHeads,
  cachedStream,
  heads,
  LENGTH,
  POS,
  PREFIX,
  Q,
  stream,
  swapped,
  withPrefix,
} from './dims.js';

/** x → q, k, v. */
export function project(arithmetic: Arithmetic): Program {
  const { q, k, v } = projectHeads(stream('x', arithmetic.config), arithmetic);
  return p.makeProgram('project', { q, k, v });
}

/** A site inside attention that a question may replace. */
export type AttentionSite = 'q' | 'k' | 'v' | 'pattern' | 'z';

export interface AttendVariant {
  /** keys and values of earlier positions come from a cached run */
  readonly prefix: boolean;
  /** sites with an alternative `{site}.alt` and a mask `{site}.swap` [questions, 1, heads, pos, 1] */
  readonly swaps: readonly AttentionSite[];
  /** the pattern's mask says it of every key: `pattern.swap` [questions, 1, heads, pos, keys] */
  readonly entries?: boolean;
  /** entries of the pattern are knocked out: `knockout` [questions, 1, heads, pos, keys] is added to the scores */
  readonly knockout?: boolean;
}

/** q, k, v (and the prefix's keys and values) → pattern, z. */
export function attend(arithmetic: Arithmetic, variant: AttendVariant): Program {
  const { config } = arithmetic;
  const swap = (site: AttentionSite, now: Value, alternative: () => Value): Value =>
    variant.swaps.includes(site) ? swapped(now, alternative(), swapMask(site, config.nHeads, variant)) : now;
  const local = (site: 'q' | 'k' | 'v'): Value =>
    swap(site, heads(site, config), () => atPositions(cachedHeads(`${site}.alt`, config)));
  const [q, k, v] = [
    local('q'),
    withPrefix(local('k'), 'k', arithmetic, variant),
    withPrefix(local('v'), 'v', arithmetic, variant),
  ];
  const knockout = variant.knockout === true ? knockedOut(config.nHeads, variant) : null;
  const pattern = swap('pattern', attentionPattern(q, k, arithmetic, { onto: knockout }), () =>
    alternativePattern(config.nHeads, variant),
  );
  const z = swap('z', p.matmul(pattern, v), () => atPositions(cachedHeads('z.alt', config)));
  return p.makeProgram('attend', { pattern, z });
}

const keysOf = ({ prefix }: AttendVariant): p.Dim => (prefix ? p.addDims(PREFIX, POS) : POS);

const swapMask = (site: AttentionSite, nHeads: number, variant: AttendVariant): Value =>
  p.input(`${site}.swap`, [
    ...[Q, 1, nHeads, POS],
    site === 'pattern' && variant.entries === true ? keysOf(variant) : 1,
  ]);

const knockedOut = (nHeads: number, variant: AttendVariant): Value =>
  p.input('knockout', [Q, 1, nHeads, POS, keysOf(variant)]);

function alternativePattern(nHeads: number, variant: AttendVariant): Value {
  const cached = p.input('pattern.alt', [1, B, nHeads, LENGTH, LENGTH]);
  const keys = p.input('key.positions', [keysOf(variant)], 'int');
  return p.gather(atPositions(cached), keys, 4);
}

/** x, z → the stream after attention. */
export function output(arithmetic: Arithmetic): Program {
  const { config } = arithmetic;
  const mid = p.add(stream('x', config), attentionOutput(heads('z', config), arithmetic));
  return p.makeProgram('output', { mid });
}

/** What the MLP reads, what it is added to → its output, the stream after it, and what its gradient will need. */
export function feedForward(arithmetic: Arithmetic): Program {
  const { config } = arithmetic;
  const { hidden, gate, output: m } = mlp(stream('x', config), arithmetic);
  const post = p.add(stream('onto', config), m);
  return p.makeProgram('mlp', { m, post, hidden, ...(gate ? { gate } : {}) });
}

/** base + swap · (alternative − now), all three cached: where a question's first change is in the residual stream. */
export function shift(arithmetic: Arithmetic): Program {
  const { config } = arithmetic;
  const swap = p.input('swap', [Q, 1, POS, 1]);
  const difference = p.sub(cachedStream('alt', config), cachedStream('now', config));
  return p.makeProgram('shift', { x: p.add(cachedStream('base', config), p.mul(swap, difference)) });
}

/** now + swap · (alternative − now) for a stream in flight; the alternative is cached. */
export function swapStream(arithmetic: Arithmetic): Program {
  const { config } = arithmetic;
  const swap = p.input('swap', [Q, 1, POS, 1]);
  return p.makeProgram('swapStream', { x: swapped(stream('now', config), cachedStream('alt', config), swap) });
}

/** The stream after attention where only some heads' outputs are replaced and nothing below changed. */
export function shiftHeads(arithmetic: Arithmetic): Program {
  const { config } = arithmetic;
  const now = atPositions(cachedHeads('now', config));
  const difference = p.sub(atPositions(cachedHeads('alt', config)), now);
  const chosen = p.mul(p.input('swap', [Q, 1, config.nHeads, POS, 1]), difference);
  if (normsWrites(arithmetic)) {
    const change = p.sub(attentionOutput(p.add(now, chosen), arithmetic), attentionOutput(now, arithmetic));
    return p.makeProgram('shiftHeads', { x: p.add(cachedStream('base', config), change) });
  }
  const withoutBias = { ...arithmetic, has: { ...arithmetic.has, oBias: false } };
  return p.makeProgram('shiftHeads', { x: p.add(cachedStream('base', config), attentionOutput(chosen, withoutBias)) });
}

/** What heads say, some of them what they say in another, cached run: now [questions, examples, heads, pos, dHead]. */
export function swapHeads({ config }: Arithmetic): Program {
  const alternative = atPositions(cachedHeads('alt', config));
  return p.makeProgram('swapHeads', {
    z: swapped(heads('now', config), alternative, p.input('swap', [Q, 1, config.nHeads, POS, 1])),
  });
}

/** Cached heads' values at the span's positions, one copy per question, moved by swap · (alt − now). */
export function moveHeads({ config }: Arithmetic): Program {
  const [now, alt] = [atPositions(cachedHeads('now', config)), atPositions(cachedHeads('alt', config))];
  return p.makeProgram('moveHeads', { z: swapped(now, alt, p.input('swap', [Q, 1, config.nHeads, POS, 1])) });
}

/** Sum of two streams. */
export function addStreams(arithmetic: Arithmetic): Program {
  return p.makeProgram('add', { x: p.add(stream('a', arithmetic.config), stream('b', arithmetic.config)) });
}
