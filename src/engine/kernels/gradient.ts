/** The programs of the backward pass. They reuse what the forward pass left (pre-activations, q, k, v) instead of recomputing it. */
import {
  attentionOutput,
  attentionPattern,
  attentionSum,
  mlp,
  mlpOutput,
  normsWrites,
  projectHeads,
  rotate,
  type Arithmetic,
} from '../../model/blocks.js';
import * as p from '../../program/index.js';
import type { Program, Value } from '../../program/index.js';
import type { ModelConfig } from '../../model/types.js';
import { atPositions, B, cachedHeads, cachedStream, heads, POS, Q, stream, withPrefix } from './dims.js';
import { changeBehindNorm, frozenNormalise, normalisedStream, withoutNorm } from './frozen-norm.js';

/** of scores: the groups of positions told apart, and their sum; see groups.ts */
const COLUMNS = 'columns';

/** The gradient at the stream after the MLP, and the MLP's saved pre-activations → the gradient at the MLP's input. */
export function mlpGradient(arithmetic: Arithmetic): Program {
  const { config } = arithmetic;
  const x = stream('x', config);
  const forward = mlp(x, arithmetic);
  const saved = (name: string): Value => p.input(name, [Q, B, POS, config.dMlp]);
  const hidden = saved('hidden');
  const gate = forward.gate ? saved('gate') : null;
  const sites = [hidden, ...(gate ? [gate] : [])];
  const atOutput = [{ of: mlpOutput(hidden, gate, arithmetic), gradient: stream('gradient', config) }];
  const atSites = p.differentiate(atOutput, sites);
  const entries = [forward.hidden, ...(forward.gate ? [forward.gate] : [])];
  const cotangents = entries.map((of, i) => ({ of, gradient: atSites[i] as Value }));
  return p.makeProgram('mlpGradient', { x: p.differentiate(cotangents, [x])[0] as Value });
}

/** The gradient at the stream after attention → the gradient at z, which is read where a norm follows. */
export function outputGradient(arithmetic: Arithmetic, variant: { frozenNorm: boolean }): Program {
  const z = heads('z', arithmetic.config);
  const frozen = (): Value => attentionSum(heads('z', arithmetic.config), arithmetic);
  const of = variant.frozenNorm
    ? frozenNormalise(attentionSum(z, arithmetic), 'ln1Post', { arithmetic, frozen: frozen() })
    : attentionOutput(z, arithmetic);
  const [gradient] = p.differentiate([{ of, gradient: stream('gradient', arithmetic.config) }], [z]);
  return p.makeProgram('outputGradient', { z: gradient as Value });
}

/** The gradient at z → the gradients at q, k, v (after the rotary embedding). */
export function attendGradient(arithmetic: Arithmetic, variant: { prefix: boolean }): Program {
  const { config } = arithmetic;
  const [q, k, v] = [heads('q', config), heads('k', config), heads('v', config)];
  const pattern = attentionPattern(q, withPrefix(k, 'k', arithmetic, variant), arithmetic);
  const of = p.matmul(pattern, withPrefix(v, 'v', arithmetic, variant));
  const gradients = p.differentiate([{ of, gradient: heads('gradient', config) }], [q, k, v]);
  return p.makeProgram('attendGradient', {
    q: gradients[0] as Value,
    k: gradients[1] as Value,
    v: gradients[2] as Value,
  });
}

/** The gradients at q, k, v → the gradient at the attention's input, readers not told apart. */
export function projectGradient(arithmetic: Arithmetic, variant: { frozenNorm: boolean }): Program {
  const { config } = arithmetic;
  const x = stream('x', config);
  const { q, k, v } = variant.frozenNorm
    ? projectHeads(frozenNormalise(x, 'ln1', { arithmetic, frozen: stream('x', config) }), withoutNorm(arithmetic))
    : projectHeads(x, arithmetic);
  const cotangents = [
    { of: q, gradient: heads('q', config) },
    { of: k, gradient: heads('k', config) },
    { of: v, gradient: heads('v', config) },
  ];
  return p.makeProgram('projectGradient', { x: p.differentiate(cotangents, [x])[0] as Value });
}

/**
 * The gradients at q, k, v → the gradient at each reader's own input (before the norm), contracted at once with the senders'
 * differences: scores [examples, columns, senders, 3 · heads + 1] = ⟨difference, gradient⟩ over positions and d, the gradient summed over
 * `questions` (the points of an integral, each with its weight already in its gradient). The last column is the MLP reader of the
 * same layer, whose gradient is given. Also Σ over readers, the gradient of the stream.
 *
 * The norm's adjoint is fused, with x̂ the normalised input and h = γ W g:
 *     dx = (h − mean(h) − x̂ · mean(h · x̂)) / σ,   mean(h · x̂) = (g · (q − bias)) / d
 * (the last term is left out with `frozenNorm`). The centring is in `qkv.readerGradient`; mean(h · x̂) is a product of dHead
 * numbers, not of d. What is linear is done late: the g of all questions go through W together, and x̂ is contracted as it is, its
 * factor multiplied in after. Of one question, Σ over readers is a sum of what the scores need anyway; of `several` it is a
 * product, with weights packed for it.
 */
export function readersGradient(
  arithmetic: Arithmetic,
  variant: { mlp: boolean; several: boolean; frozenNorm: boolean; groups: boolean; neurons: boolean },
): Program {
  const { config } = arithmetic;
  const { dModel, dHead, nHeads } = config;
  const readers = 3 * nHeads;
  const tokens = p.multiplyDims(B, POS);
  const roles = ['q', 'k', 'v'] as const;
  const rotated = roles.map((name) => heads(name, config));
  const gradients = roles.map((name) => heads(`${name}.gradient`, config));
  const unrotated = gradients.map((gradient, i) => (roles[i] === 'v' ? gradient : unrotate(gradient, arithmetic)));
  const x = stream('x', config);
  const normed = normalisedStream(x, arithmetic, 'ln1');
  const { inverse } = normed;
  const xHat = variant.frozenNorm ? null : normed.xHat;
  const joined = scale(p.concat(unrotated, 2), inverse); // [questions, examples, readers, pos, dHead]
  const weight = p.parameter('qkv.readerGradient', [readers, dHead, dModel]);
  const along = xHat === null ? null : alongX();
  const summed = p.reshape(p.transpose(p.sum(joined, [0]), [1, 0, 2, 3]), [readers, tokens, dHead]);
  const h = p.transpose(p.matmul(summed, weight), [1, 0, 2]); // [tokens, readers, d], summed over questions
  return p.makeProgram('readersGradient', { x: atStream(), scores: scores() });

  /** mean(h · x̂) / σ per reader [questions, examples, pos, readers]. */
  function alongX(): Value {
    const products = roles.map((_, i) => p.sum(p.mul(gradients[i] as Value, rotated[i] as Value), [-1], true));
    const bias = p.reshape(p.parameter('qkv.readerBias', [readers, dHead]), [readers, 1, dHead]);
    const constant = p.sum(p.mul(p.concat(unrotated, 2), bias), [-1], true);
    const mean = p.mul(p.sub(p.concat(products, 2), constant), 1 / dModel); // [questions, examples, readers, pos, 1]
    return p.transpose(p.reshape(scale(mean, inverse), [Q, B, readers, POS]), [0, 1, 3, 2]);
  }

  /** Σ over readers [questions, examples, pos, d]. */
  function atStream(): Value {
    const all = variant.several ? product() : p.reshape(p.sum(h, [1]), [1, B, POS, dModel]);
    return xHat === null || along === null ? all : p.sub(all, p.mul(xHat, p.sum(along, [-1], true)));
  }

  function product(): Value {
    const flat = p.reshape(p.transpose(joined, [0, 1, 3, 2, 4]), [Q, B, POS, readers * dHead]);
    return p.matmul(flat, p.reshape(weight, [readers * dHead, dModel]));
  }

  /** ⟨difference, h⟩ − ⟨difference, x̂⟩ · mean(h · x̂) / σ, token by token, then summed over positions. */
  function scores(): Value {
    const mlp = variant.mlp ? [p.reshape(p.sum(stream('mlp.gradient', config), [0]), [tokens, 1, dModel])] : [];
    const own = readers + mlp.length;
    const x = xHat === null ? [] : [p.transpose(p.reshape(xHat, [Q, tokens, dModel]), [1, 0, 2])];
    const products = contraction(p.concat([h, ...mlp, ...x], 1), config, variant); // [tokens, senders, own + questions]
    if (along === null) return overPositions(products, variant);
    const factor = p.transpose(p.reshape(along, [Q, tokens, readers]), [1, 0, 2]); // [tokens, questions, readers]
    const ofX = p.matmul(p.slice(products, 2, [own, p.addDims(own, Q)]), p.pad(factor, 2, [0, mlp.length]));
    return overPositions(p.sub(p.slice(products, 2, [0, own]), ofX), variant);
  }
}

/** [tokens, senders, readers] → [examples, columns, senders, readers], summed over all positions or over those of each column. */
function overPositions(products: Value, variant: { groups: boolean }): Value {
  const [, senders, readers] = products.shape as [p.Dim, p.Dim, p.Dim];
  if (!variant.groups) return p.sum(p.reshape(products, [B, POS, senders, readers]), [1], true);
  const flat = p.reshape(products, [B, POS, p.multiplyDims(senders, readers)]);
  const grouped = p.matmul(p.input('groups', [B, COLUMNS, POS]), flat);
  return p.reshape(grouped, [B, COLUMNS, senders, readers]);
}

/** values [questions, examples, readers, pos, n] times 1/σ [questions, examples, pos, 1]. */
function scale(values: Value, inverse: Value | null): Value {
  return inverse === null ? values : p.mul(values, p.reshape(inverse, [Q, B, 1, POS, 1]));
}

/** The transpose of the rotary embedding. */
function unrotate(gradient: Value, arithmetic: Arithmetic): Value {
  const probe = p.input('unrotated', gradient.shape);
  return p.differentiate([{ of: rotate(probe, arithmetic), gradient }], [probe])[0] as Value;
}

/**
 * gradients [tokens, readers, d] · differences [examples, pos, senders, d] → [tokens, senders, readers]. A neuron's difference is
 * its change times what it writes: [examples, pos, neurons] and [neurons, d] are contracted without being multiplied out.
 */
function contraction(gradients: Value, { dModel }: ModelConfig, variant: { neurons: boolean }): Value {
  if (variant.neurons) {
    const change = p.input('change', [B, POS, 'neurons']);
    const products = p.matmul(gradients, p.swapLast(p.input('writes', ['neurons', dModel])));
    return p.mul(p.swapLast(products), p.reshape(change, [p.multiplyDims(B, POS), 'neurons', 1]));
  }
  const differences = p.input('differences', [B, POS, 'senders', dModel]);
  return p.matmul(p.reshape(differences, [p.multiplyDims(B, POS), 'senders', dModel]), p.swapLast(gradients));
}

/** The contraction of a single reader's gradient [questions, examples, pos, d]: the logits. */
export function readerScores(arithmetic: Arithmetic, variant: { groups: boolean; neurons: boolean }): Program {
  const { config } = arithmetic;
  const gradient = p.reshape(p.sum(stream('gradient', config), [0]), [p.multiplyDims(B, POS), 1, config.dModel]);
  return p.makeProgram('readerScores', { scores: overPositions(contraction(gradient, config, variant), variant) });
}

/** How differences lie: [examples, senders, pos, d], or `byToken`, [examples, pos, senders, d]. */
export interface DifferenceLayout {
  readonly byToken: boolean;
}

/**
 * What a layer's heads write differently in two cached runs; where a norm follows, what that changes behind it, each head by
 * itself with the others as they are `now`.
 */
export function headDifferences(
  arithmetic: Arithmetic,
  { byToken, linear = false }: DifferenceLayout & { readonly linear?: boolean },
): Program {
  const { config } = arithmetic;
  const { dModel, dHead, nHeads } = config;
  const change = p.sub(atPositions(cachedHeads('alt', config)), atPositions(cachedHeads('now', config)));
  const byHead = p.reshape(p.transpose(change, [2, 0, 1, 3, 4]), [nHeads, p.multiplyDims(B, POS), dHead]);
  const out = p.matmul(byHead, p.parameter('o.byHead', [nHeads, dHead, dModel]));
  const written = p.reshape(out, [nHeads, B, POS, dModel]);
  const sum = normsWrites(arithmetic) ? attentionSum(atPositions(cachedHeads('now', config)), arithmetic) : null;
  const split = sum === null ? written : changeBehindNorm(sum, written, { name: 'ln1Post', linear, arithmetic });
  return p.makeProgram('headDifferences', { difference: p.transpose(split, byToken ? [1, 2, 0, 3] : [1, 0, 2, 3]) });
}

/** The same for a sender that writes to the stream directly (the embedding, an MLP). */
export function streamDifference(arithmetic: Arithmetic, { byToken }: DifferenceLayout): Program {
  const { config } = arithmetic;
  const change = p.sub(cachedStream('alt', config), cachedStream('now', config)); // [1, examples, pos, d]
  const shape = byToken ? [B, POS, 1, config.dModel] : [B, 1, POS, config.dModel];
  return p.makeProgram('streamDifference', { difference: p.reshape(change, shape) });
}

/** All senders' differences in one tensor. */
export function joinDifferences(
  { config }: Arithmetic,
  { counts, byToken }: DifferenceLayout & { readonly counts: readonly number[] },
): Program {
  const shape = (count: number): p.Dim[] => (byToken ? [B, POS, count, config.dModel] : [B, count, POS, config.dModel]);
  const parts = counts.map((count, i) => p.input(`part${i}`, shape(count)));
  return p.makeProgram('joinDifferences', { differences: p.concat(parts, byToken ? 2 : 1) });
}
