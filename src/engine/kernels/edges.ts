/** The programs of edge interventions: one edge into one head, and whole circuits. */
import { attentionPattern, attentionSum, normalise, normsWrites, rotate, type Arithmetic } from '../../model/blocks.js';
import * as p from '../../program/index.js';
import type { Program, Value } from '../../program/index.js';
import { atPositions, atPrefix, B, cachedHeads, cachedStream, POS, Q, stream } from './dims.js';
import { differenceBehindNorm } from './frozen-norm.js';

const SENDERS = 'senders';
const ACTIVE = 'active';

/** differences [examples, pos, senders, d] of one sender per question: [questions, examples, pos, d], times its weights. */
function pickedDifference({ config }: Arithmetic): Value {
  const differences = p.input('differences', [B, POS, SENDERS, config.dModel]);
  const picked = p.gather(differences, p.input('sender', [Q], 'int'), 2); // [examples, pos, questions, d]
  return p.mul(p.transpose(picked, [2, 0, 1, 3]), p.input('weight', [Q, B, POS, 1]));
}

/** cached base + weight · (alternative − output) of a sender: what one reader reads when one edge is cut. */
export function cutStream(arithmetic: Arithmetic): Program {
  return p.makeProgram('cutStream', {
    x: p.add(cachedStream('base', arithmetic.config), pickedDifference(arithmetic)),
  });
}

/**
 * One edge into the query, key or value of one head per question → the stream after attention. Only that head is recomputed;
 * everything else of the layer is as in the cached run.
 */
export function cutHead(arithmetic: Arithmetic, variant: { prefix: boolean }): Program {
  const { config } = arithmetic;
  const { dModel, dHead, nHeads } = config;
  const head = p.input('head', [Q], 'int');
  const role = p.input('role', [Q], 'int'); // role · nHeads + head, roles q k v
  const x = p.add(cachedStream('pre', config), pickedDifference(arithmetic)); // [questions, examples, pos, d]
  const flat = p.reshape(normalise(x, 'ln1', arithmetic), [Q, p.multiplyDims(B, POS), dModel]);
  const weight = p.gather(p.parameter('qkv.byHead', [3 * nHeads, dModel, dHead]), role, 0); // [questions, d, dHead]
  const bias = p.gather(p.parameter('qkv.byHead.bias', [3 * nHeads, dHead]), role, 0); // [questions, dHead]
  const projected = p.add(p.matmul(flat, weight), p.reshape(bias, [Q, 1, dHead]));
  const plain = p.reshape(projected, [Q, B, POS, dHead]);
  const replaced = { q: rotate(plain, arithmetic), k: rotate(plain, arithmetic), v: plain };
  const ofHead = (values: Value): Value => ownHead(p.gather(values, head, 2)); // [1, examples, questions, …] → [questions, examples, …]
  const local = (name: 'q' | 'k' | 'v'): Value => {
    const now = ofHead(atPositions(cachedHeads(name, config)));
    return p.add(now, p.mul(p.input(`is.${name}`, [Q, 1, 1, 1]), p.sub(replaced[name], now)));
  };
  const behindPrefix = (name: 'k' | 'v'): Value =>
    variant.prefix ? p.concat([ofHead(atPrefix(cachedHeads(name, config))), local(name)], 2) : local(name);
  const z = p.matmul(attentionPattern(local('q'), behindPrefix('k'), arithmetic), behindPrefix('v'));
  const change = p.sub(z, ofHead(atPositions(cachedHeads('z', config)))); // [questions, examples, pos, dHead]
  const out = p.gather(p.parameter('o.byHead', [nHeads, dHead, dModel]), head, 0); // [questions, dHead, d]
  const delta = p.reshape(p.matmul(p.reshape(change, [Q, p.multiplyDims(B, POS), dHead]), out), [Q, B, POS, dModel]);
  const sum = normsWrites(arithmetic) ? attentionSum(atPositions(cachedHeads('z', config)), arithmetic) : null;
  const written = sum === null ? delta : differenceBehindNorm(sum, delta, 'ln1Post', arithmetic);
  return p.makeProgram('cutHead', { mid: p.add(cachedStream('mid', config), written) });
}

/** [1, examples, heads, length, dHead] → [heads, examples, length, dHead]. */
function ownHead(values: Value): Value {
  const [, examples, heads, length, dHead] = values.shape as [p.Dim, p.Dim, p.Dim, p.Dim, p.Dim];
  return p.reshape(p.transpose(values, [2, 1, 0, 3, 4]), [heads, examples, length, dHead]);
}

/** Rows [count, size] behind others, for runtimes whose tensors cannot be written to. */
export function joinRows(): Program {
  return p.makeProgram('joinRows', {
    all: p.concat([p.input('first', ['rows', 'size']), p.input('more', ['added', 'size'])], 0),
  });
}

/** What the senders computed so far say differently from their alternative, [senders, examples, pos, d]. */
const store = ({ config }: Arithmetic): Value => p.input('store', [SENDERS, B, POS, config.dModel]);

/** mask [readers, senders] · rows [senders, examples, pos, d] → [readers, examples, pos, d]. */
function masked(rows: Value, readers: p.Dim, { config: { dModel } }: Arithmetic): Value {
  const flat = p.reshape(rows, [SENDERS, p.multiplyDims(B, POS, dModel)]);
  return p.reshape(p.matmul(p.input('mask.readers', [readers, SENDERS]), flat), [readers, B, POS, dModel]);
}

/**
 * Σ over kept senders of (output − alternative). Where heads' writes are normed, each reader reads the norm of its own mixture of
 * a layer's heads: these come in as `mixed` [readers, examples, pos, d].
 */
function keptSum(readers: p.Dim, arithmetic: Arithmetic): Value {
  const sum = masked(store(arithmetic), readers, arithmetic);
  if (!normsWrites(arithmetic)) return sum;
  return p.add(sum, p.input('mixed', [readers, B, POS, arithmetic.config.dModel]));
}

/**
 * What readers read of a layer's heads behind the norm that follows attention, beyond its alternative: with `rows` [senders, …] what
 * heads write differently,
 *
 *     onto + norm(alternative sum + mask · rows) − norm(alternative sum)
 */
export function mixHeads(arithmetic: Arithmetic): Program {
  const { config } = arithmetic;
  const rows = p.input('rows', [SENDERS, B, POS, config.dModel]);
  const sum = attentionSum(atPositions(cachedHeads('z.alt', config)), arithmetic); // [1, examples, pos, d]
  const own = differenceBehindNorm(sum, masked(rows, 'readers', arithmetic), 'ln1Post', arithmetic);
  return p.makeProgram('mixHeads', { x: p.add(p.input('onto', ['readers', B, POS, config.dModel]), own) });
}

/** What a single reader (an MLP, the logits) reads: its alternative stream + the kept senders' differences. */
export function circuitStream(arithmetic: Arithmetic): Program {
  return p.makeProgram('circuitStream', { x: p.add(keptSum(1, arithmetic), cachedStream('alt', arithmetic.config)) });
}

/** What MLPs say differently from their alternative [questions, examples, pos, d]. */
export function circuitChange(arithmetic: Arithmetic): Program {
  const { config } = arithmetic;
  return p.makeProgram('circuitChange', { change: p.sub(stream('m', config), cachedStream('alt', config)) });
}

/** What the heads of a layer say in one cached run differently from another, [heads, examples, pos, d]. */
export function headChanges({ config }: Arithmetic): Program {
  const { dModel, dHead, nHeads } = config;
  const change = p.sub(atPositions(cachedHeads('now', config)), atPositions(cachedHeads('alt', config)));
  const flat = p.reshape(ownHead(change), [nHeads, p.multiplyDims(B, POS), dHead]);
  const rows = p.matmul(flat, p.parameter('o.byHead', [nHeads, dHead, dModel]));
  return p.makeProgram('headChanges', { change: p.reshape(rows, [nHeads, B, POS, dModel]) });
}

/**
 * The active heads of a layer, every q, k and v with its own input → what they say differently [active, examples, pos, d].
 *
 * The alternative stream is among the store's rows, so that mask · store is what the readers read. `role` [readers] lists the
 * q, k and v to be computed as role · nHeads + head; the others are as in the alternative. `head` [active]; `pick` [3 · active]
 * says where each active head's q, k and v are found in `headTable`.
 */
export function circuitHeads(arithmetic: Arithmetic, variant: { prefix: boolean }): Program {
  const { config } = arithmetic;
  const { dModel, dHead, nHeads } = config;
  const head = p.input('head', [ACTIVE], 'int');
  const picked = p.gather(headTable(arithmetic), p.input('pick', [p.multiplyDims(3, ACTIVE)], 'int'), 0);
  const split = p.reshape(picked, [3, ACTIVE, B, POS, dHead]);
  const part = (i: number): Value => p.reshape(p.slice(split, 0, [i, i + 1]), [ACTIVE, B, POS, dHead]);
  const behindPrefix = (local: Value, name: 'k' | 'v'): Value =>
    variant.prefix ? p.concat([ownHead(p.gather(atPrefix(cachedHeads(name, config)), head, 2)), local], 2) : local;
  const pattern = attentionPattern(part(0), behindPrefix(part(1), 'k'), arithmetic);
  const z = p.matmul(pattern, behindPrefix(part(2), 'v')); // [active, examples, pos, dHead]
  const change = p.sub(z, ownHead(p.gather(atPositions(cachedHeads('z.alt', config)), head, 2)));
  const out = p.gather(p.parameter('o.byHead', [nHeads, dHead, dModel]), head, 0);
  const rows = p.matmul(p.reshape(change, [ACTIVE, p.multiplyDims(B, POS), dHead]), out);
  return p.makeProgram('circuitHeads', { change: p.reshape(rows, [ACTIVE, B, POS, dModel]) });
}

/**
 * [rows, examples, pos, dHead]: the computed readers (with rotary embeddings: turned, and again as they are, for values), then
 * q, k and v of every head in the alternative.
 */
function headTable(arithmetic: Arithmetic): Value {
  const { config } = arithmetic;
  const { dModel, dHead, nHeads } = config;
  const readers = 'readers';
  const normed = normalise(keptSum(readers, arithmetic), 'ln1', arithmetic);
  const role = p.input('role', [readers], 'int');
  const weight = p.gather(p.parameter('qkv.byHead', [3 * nHeads, dModel, dHead]), role, 0); // [readers, d, dHead]
  const bias = p.gather(p.parameter('qkv.byHead.bias', [3 * nHeads, dHead]), role, 0);
  const product = p.matmul(p.reshape(normed, [readers, p.multiplyDims(B, POS), dModel]), weight);
  const own = p.reshape(p.add(product, p.reshape(bias, [readers, 1, dHead])), [readers, B, POS, dHead]);
  const computed = config.rotary === null ? [own] : [rotate(own, arithmetic), own];
  const alternatives = ['q.alt', 'k.alt', 'v.alt'].map((name) => ownHead(atPositions(cachedHeads(name, config))));
  return p.concat([...computed, ...alternatives], 0);
}
