/** The programs of edge interventions: one edge into one head, and whole circuits. */
import { attentionPattern, normalise, rotate, type Arithmetic } from '../../model/blocks.js';
import * as p from '../../program/index.js';
import type { Program, Value } from '../../program/index.js';
import { atPositions, atPrefix, B, cachedHeads, cachedStream, POS, PREFIX, Q, stream } from './dims.js';

const SENDERS = 'senders';
const ACTIVE = 'active';

/** differences [examples, senders, pos, d] of one sender per question: [questions, examples, pos, d], times its weight. */
function pickedDifference({ config }: Arithmetic): Value {
  const differences = p.input('differences', [B, SENDERS, POS, config.dModel]);
  const picked = p.gather(differences, p.input('sender', [Q], 'int'), 1); // [examples, questions, pos, d]
  return p.mul(p.transpose(picked, [1, 0, 2, 3]), p.input('weight', [Q, 1, 1, 1]));
}

/** cached base + weight · (alternative − output) of a sender: what one reader reads when one edge is cut. */
export function cutStream(arithmetic: Arithmetic): Program {
  return p.makeProgram('cutStream', { x: p.add(cachedStream('base', arithmetic.config), pickedDifference(arithmetic)) });
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
  return p.makeProgram('cutHead', { mid: p.add(cachedStream('mid', config), delta) });
}

/** [1, examples, questions, length, dHead] → [questions, examples, length, dHead]. */
function ownHead(values: Value): Value {
  const [, examples, questions, length, dHead] = values.shape as [p.Dim, p.Dim, p.Dim, p.Dim, p.Dim];
  return p.reshape(p.transpose(values, [2, 1, 0, 3, 4]), [questions, examples, length, dHead]);
}

/** The differences of the senders computed so far, [questions, senders, examples, pos, d]. */
const store = ({ config }: Arithmetic): Value => p.input('store', [Q, SENDERS, B, POS, config.dModel]);

/** Σ over kept senders of (output − alternative): mask [questions, readers, senders] · store. */
function keptSum(mask: Value, readers: p.Dim, arithmetic: Arithmetic): Value {
  const { dModel } = arithmetic.config;
  const flat = p.reshape(store(arithmetic), [Q, SENDERS, p.multiplyDims(B, POS, dModel)]);
  return p.reshape(p.matmul(mask, flat), [Q, readers, B, POS, dModel]);
}

/** What a single reader (an MLP, the logits) reads: its alternative stream + the kept senders' differences. */
export function circuitStream(arithmetic: Arithmetic): Program {
  const sum = keptSum(p.input('mask', [Q, 1, SENDERS]), 1, arithmetic);
  const flat = p.reshape(sum, [Q, B, POS, arithmetic.config.dModel]);
  return p.makeProgram('circuitStream', { x: p.add(flat, cachedStream('alt', arithmetic.config)) });
}

/** Adds an MLP's difference to the store. */
export function circuitAppend(arithmetic: Arithmetic): Program {
  const { config } = arithmetic;
  const difference = p.sub(stream('m', config), cachedStream('alt', config));
  const row = p.reshape(difference, [Q, 1, B, POS, config.dModel]);
  return p.makeProgram('circuitAppend', { store: p.concat([store(arithmetic), row], 1) });
}

/** The first row of the store: what the embedding says now minus what it says in the alternative. */
export function circuitStart(arithmetic: Arithmetic): Program {
  const { config } = arithmetic;
  const difference = p.sub(cachedStream('now', config), cachedStream('alt', config)); // [1, examples, pos, d]
  const copies = p.mul(difference, p.input('ones', [Q, 1, 1, 1]));
  return p.makeProgram('circuitStart', { store: p.reshape(copies, [Q, 1, B, POS, config.dModel]) });
}

/**
 * The active heads of a layer, every q, k and v with its own input, their differences added to the store.
 * `mask` [questions, 3 · active, senders]; `role` [3 · active] = role · nHeads + head; `head` [active].
 */
export function circuitHeads(arithmetic: Arithmetic, variant: { prefix: boolean }): Program {
  const { config } = arithmetic;
  const { dModel, dHead, nHeads } = config;
  const readers = p.multiplyDims(3, ACTIVE);
  const alternative = p.reshape(cachedStream('alt', config), [1, 1, B, POS, dModel]);
  const x = p.add(keptSum(p.input('mask.readers', [Q, readers, SENDERS]), readers, arithmetic), alternative);
  const flat = p.reshape(normalise(x, 'ln1', arithmetic), [Q, readers, p.multiplyDims(B, POS), dModel]);
  const role = p.input('role', [readers], 'int');
  const head = p.input('head', [ACTIVE], 'int');
  const weight = p.gather(p.parameter('qkv.byHead', [3 * nHeads, dModel, dHead]), role, 0); // [readers, d, dHead]
  const bias = p.gather(p.parameter('qkv.byHead.bias', [3 * nHeads, dHead]), role, 0);
  const projected = p.add(p.matmul(flat, weight), p.reshape(bias, [readers, 1, dHead]));
  const split = p.reshape(projected, [Q, 3, ACTIVE, B, POS, dHead]);
  const part = (i: number): Value => p.reshape(p.slice(split, 1, [i, i + 1]), [Q, ACTIVE, B, POS, dHead]);
  const byHead = (values: Value): Value => p.transpose(p.gather(values, head, 2), [0, 2, 1, 3, 4]); // [1, active, examples, …]
  const behindPrefix = (local: Value, name: 'k' | 'v'): Value => {
    if (!variant.prefix) return local;
    const cached = byHead(atPrefix(cachedHeads(name, config)));
    return p.concat([p.broadcast(cached, [Q, ACTIVE, B, PREFIX, dHead]), local], 3);
  };
  const k = behindPrefix(rotate(part(1), arithmetic), 'k');
  const pattern = attentionPattern(rotate(part(0), arithmetic), k, arithmetic);
  const z = p.matmul(pattern, behindPrefix(part(2), 'v')); // [questions, active, examples, pos, dHead]
  const change = p.sub(z, byHead(atPositions(cachedHeads('z.alt', config))));
  const out = p.gather(p.parameter('o.byHead', [nHeads, dHead, dModel]), head, 0);
  const rows = p.matmul(p.reshape(change, [Q, ACTIVE, p.multiplyDims(B, POS), dHead]), out);
  const added = p.reshape(rows, [Q, ACTIVE, B, POS, dModel]);
  return p.makeProgram('circuitHeads', { store: p.concat([store(arithmetic), added], 1) });
}
