/** Programs that only some methods of attribution need. */
import {
  activate,
  attentionPattern,
  mlp,
  neurons,
  neuronsSum,
  normalise,
  normsWrites,
  type Arithmetic,
} from '../../model/blocks.js';
import * as p from '../../program/index.js';
import type { Program, Value } from '../../program/index.js';
import { atPositions, B, cachedHeads, heads, LENGTH, POS, Q, stream, withPrefix } from './dims.js';
import { frozenNormalise, withoutNorm } from './frozen-norm.js';

/** Sum of several streams [questions, examples, pos, d]. */
export function sumStreams(arithmetic: Arithmetic, variant: { count: number }): Program {
  const streams = Array.from({ length: variant.count }, (_, i) => stream(`x${i}`, arithmetic.config));
  return p.makeProgram('sumStreams', { x: streams.reduce((sum, x) => p.add(sum, x)) });
}

/** A stream summed over questions: [1, examples, pos, d]. */
export function sumQuestions(arithmetic: Arithmetic): Program {
  return p.makeProgram('sumQuestions', { x: p.sum(stream('x', arithmetic.config), [0], true) });
}

/** A cached run's z, token by token for each head: [heads, all, dHead]. */
export function headRows({ config }: Arithmetic): Program {
  const z = p.transpose(cachedHeads('z', config), [2, 0, 1, 3, 4]); // [heads, 1, examples, length, dHead]
  return p.makeProgram('headRows', { z: p.reshape(z, [config.nHeads, p.multiplyDims(B, LENGTH), config.dHead]) });
}

/** A few tokens of several streams y [1, all, d]: [streams, tokens, d], and |y|₁ − Σ y [streams, tokens]. */
export function pickTokens({ config }: Arithmetic, { count }: { count: number }): Program {
  const tokens = p.input('tokens', ['tokens'], 'int');
  const stream = (i: number): Value => p.gather(p.input(`y${i}`, [1, 'all', config.dModel]), tokens, 1);
  const streams = p.concat(
    Array.from({ length: count }, (_, i) => stream(i)),
    0,
  );
  const below = p.sum(p.relu(p.neg(streams)), [-1]);
  return p.makeProgram('pickTokens', { streams, excess: p.mul(below, 2) });
}

/** Senders next to each other, and who sees them. */
export interface Sight {
  /** the first writes to the stream directly */
  readonly direct: boolean;
  /** the others are the heads of a layer */
  readonly heads: boolean;
  /** places that see the first alone, then places that see all */
  readonly early: number;
  readonly places: number;
}

/**
 * |y − x_s|₁ − Σ y of each place's y [places, tokens, d] and each sender it sees, one place after the other: [Σ senders seen,
 * tokens]. What the heads say is made here, for a few tokens, so that it never leaves the processor's cache; and since
 *
 *     |y − x|₁ = Σ x + Σ y − 2 Σ min(x, y)
 *
 * two passes over it are enough for each place.
 */
export function distances({ config }: Arithmetic, { direct, heads, early, places }: Sight): Program {
  const { dModel, dHead, nHeads } = config;
  const tokens = p.input('tokens', ['tokens'], 'int');
  const single = (): Value => p.gather(p.input('direct', [1, 'all', dModel]), tokens, 1);
  const byHead = (): Value =>
    p.matmul(
      p.gather(p.input('z', [nHeads, 'all', dHead]), tokens, 1),
      p.parameter('o.byHead', [nHeads, dHead, dModel]),
    );
  const said = p.concat([...(direct ? [single()] : []), ...(heads ? [byHead()] : [])], 0); // [senders, tokens, d]
  const streams = p.input('streams', [early + places, 'tokens', dModel]);
  const sums = p.sum(said, [-1]); // [senders, tokens]
  const away = Array.from({ length: early + places }, (_, place) => {
    const seen = (values: Value): Value => (place < early ? p.slice(values, 0, [0, 1]) : values);
    const shared = p.sum(p.minimum(seen(said), p.slice(streams, 0, [place, place + 1])), [-1]);
    return p.sub(seen(sums), p.mul(shared, 2));
  });
  return p.makeProgram('distances', { distances: p.concat(away, 0) });
}

/** What goes back through norms, activations, products and softmax instead of their derivatives. */
export interface Rules {
  /** norms divide by a constant */
  readonly frozenNorms: boolean;
  readonly mlp: {
    readonly frozenNorm: boolean;
    /** f(x) goes back as the line through the origin, x · (f(x) / x) with the ratio constant */
    readonly lineThroughOrigin: boolean;
    /** share that each factor of a gated MLP gets */
    readonly factors: number;
  };
  readonly attention: {
    /** of the softmax on the way back; null: the pattern is constant */
    readonly temperature: number | null;
    readonly queries: number;
    readonly keys: number;
    readonly values: number;
  };
}

/** As `mlpGradient`, by rules. */
export function mlpPropagation(arithmetic: Arithmetic, rules: Rules['mlp']): Program {
  const { config } = arithmetic;
  const x = stream('x', config);
  const forward = rules.frozenNorm
    ? mlp(frozenNormalise(x, 'ln2', { arithmetic, frozen: stream('x', config) }), withoutNorm(arithmetic))
    : mlp(x, arithmetic);
  const saved = (name: string): Value => p.input(name, [Q, B, POS, config.dMlp]);
  const [hidden, gate] = [saved('hidden'), forward.gate ? saved('gate') : null];
  const act = (value: Value, name: string): Value =>
    rules.lineThroughOrigin ? p.mul(value, slopeThroughOrigin(saved(name), arithmetic)) : activate(value, arithmetic);
  const active = gate ? p.mul(act(gate, 'gate'), hidden) : act(hidden, 'hidden');
  const frozen = (): Value => neuronsSum(neurons(saved('hidden'), gate && saved('gate'), arithmetic), arithmetic);
  const sum = p.matmul(active, p.parameter('mlp.out', [config.dMlp, config.dModel]));
  const of = !normsWrites(arithmetic)
    ? sum
    : rules.frozenNorm
      ? frozenNormalise(sum, 'ln2Post', { arithmetic, frozen: frozen() })
      : normalise(neuronsSum(active, arithmetic), 'ln2Post', arithmetic);
  const sites = p.differentiate([{ of, gradient: stream('gradient', config) }], gate ? [hidden, gate] : [hidden]);
  const shares = gate ? sites.map((site) => p.mul(site, rules.factors)) : sites;
  const cotangents = [forward.hidden, forward.gate].flatMap((entry, i) =>
    entry ? [{ of: entry, gradient: shares[i] as Value }] : [],
  );
  return p.makeProgram('mlpPropagation', { x: p.differentiate(cotangents, [x])[0] as Value });
}

/** f(x) / x, and 0 where x is. */
function slopeThroughOrigin(x: Value, arithmetic: Arithmetic): Value {
  const zero = p.equal(x, 0);
  return p.where(zero, 0, p.div(activate(x, arithmetic), p.add(x, zero)));
}

/** As `attendGradient`, by rules. */
export function attendPropagation(
  arithmetic: Arithmetic,
  variant: Rules['attention'] & { readonly prefix: boolean },
): Program {
  const { config } = arithmetic;
  const { temperature, queries, keys, values } = variant;
  const side = (): Record<'q' | 'k' | 'v', Value> => ({
    q: heads('q', config),
    k: heads('k', config),
    v: heads('v', config),
  });
  const at = (of: Record<'q' | 'k' | 'v', Value>, name: 'k' | 'v'): Value =>
    withPrefix(of[name], name, arithmetic, variant);
  const gradient = heads('gradient', config);
  const [moving, still] = [side(), side()];
  const byPattern = p.matmul(attentionPattern(still.q, at(still, 'k'), arithmetic), at(moving, 'v'));
  const [v] = p.differentiate([{ of: byPattern, gradient }], [moving.v]) as [Value];
  const scaled = { v: p.mul(v, values) };
  if (temperature === null)
    return p.makeProgram('attendPropagation', { ...scaled, q: p.mul(still.q, 0), k: p.mul(still.k, 0) });
  // T · softmax(s / T) has the derivative of softmax at temperature T, without the factor 1 / T
  const pattern = p.mul(attentionPattern(moving.q, at(moving, 'k'), arithmetic, { temperature }), temperature);
  const [q, k] = p.differentiate([{ of: p.matmul(pattern, at(still, 'v')), gradient }], [moving.q, moving.k]) as [
    Value,
    Value,
  ];
  return p.makeProgram('attendPropagation', { ...scaled, q: p.mul(q, queries), k: p.mul(k, keys) });
}

/**
 * The gradients g at q and k corrected so that over the whole way Δ to `q.alt` and `k.alt` they give exactly what recomputing the
 * softmax gives, linear downstream (the QK fix of AtP*, Kramár et al., arXiv:2403.00745 § 3.1):
 *
 *     T = ⟨z(alternative) − z, gradient at z⟩        g + (T − ⟨Δ, g⟩) · Δ / |Δ|²
 *
 * for the query of each position alone, and for all keys of a head together.
 */
export function softmaxFix(arithmetic: Arithmetic, variant: { prefix: boolean }): Program {
  const { config } = arithmetic;
  const [q, k, v] = [
    heads('q', config),
    withPrefix(heads('k', config), 'k', arithmetic, variant),
    withPrefix(heads('v', config), 'v', arithmetic, variant),
  ];
  const gradient = heads('gradient', config);
  const alternative = (name: 'q' | 'k'): Value => atPositions(cachedHeads(`${name}.alt`, config));
  const along = (a: Value, b: Value, axes: readonly number[]): Value => p.sum(p.mul(a, b), [...axes], true);
  const z = (query: Value, key: Value): Value => p.matmul(attentionPattern(query, key, arithmetic), v);
  const now = z(q, k);
  const fixed = (name: 'q' | 'k', moved: Value, axes: readonly number[]): Value => {
    const own = heads(`${name}.gradient`, config);
    const delta = p.sub(alternative(name), heads(name, config));
    const missing = p.sub(along(p.sub(moved, now), gradient, axes), along(delta, own, axes));
    const length = along(delta, delta, axes);
    return p.add(own, p.mul(delta, p.div(missing, p.add(length, p.equal(length, 0)))));
  };
  const keys = withPrefix(alternative('k'), 'k', arithmetic, variant);
  return p.makeProgram('softmaxFix', {
    q: fixed('q', z(alternative('q'), k), [-1]),
    k: fixed('k', z(q, keys), [-2, -1]),
  });
}
