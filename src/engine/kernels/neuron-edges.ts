/** The programs of edges into and out of single neurons of an MLP. */
import {
  mlp,
  mlpOutput,
  neurons,
  neuronsSum,
  normalise,
  normAt,
  normsWrites,
  type Arithmetic,
} from '../../model/blocks.js';
import * as p from '../../program/index.js';
import type { Program, Value } from '../../program/index.js';
import { B, cachedStream, POS, Q, stream } from './dims.js';
import { alongNorm, changeBehindNorm, differenceBehindNorm } from './frozen-norm.js';

const SENDERS = 'senders';

/** What a layer's neurons are in one cached run minus in another, [examples, pos, dMlp]. */
export function neuronChange(arithmetic: Arithmetic): Program {
  const { config } = arithmetic;
  const of = (name: string): Value => {
    const { hidden, gate } = mlp(cachedStream(name, config), arithmetic);
    return p.reshape(neurons(hidden, gate, arithmetic), [B, POS, config.dMlp]);
  };
  return p.makeProgram('neuronChange', { change: p.sub(of('alt'), of('now')) });
}

/** A layer's neurons in a cached run, summed into what the MLP writes before any norm, [1, examples, pos, d]. */
function cachedSum(name: string, arithmetic: Arithmetic): Value {
  const { hidden, gate } = mlp(cachedStream(name, arithmetic.config), arithmetic);
  return neuronsSum(neurons(hidden, gate, arithmetic), arithmetic);
}

/**
 * What chosen neurons would write differently: change [examples, pos, dMlp] → [examples, pos, chosen, d]. Where a norm follows the
 * MLP, what that changes behind it, with all other neurons as they are `now`.
 */
export function neuronDifferences(arithmetic: Arithmetic): Program {
  const { dModel, dMlp } = arithmetic.config;
  const chosen = p.input('neuron', ['chosen'], 'int');
  const change = p.gather(p.input('change', [B, POS, dMlp]), chosen, 2);
  const writes = p.gather(p.parameter('mlp.out', [dMlp, dModel]), chosen, 0);
  const differences = p.mul(p.reshape(change, [B, POS, 'chosen', 1]), writes);
  if (!normsWrites(arithmetic)) return p.makeProgram('neuronDifferences', { differences });
  const sum = p.reshape(cachedSum('now', arithmetic), [B, POS, 1, dModel]);
  const of = { name: 'ln2Post', linear: false, arithmetic } as const;
  return p.makeProgram('neuronDifferences', { differences: changeBehindNorm(sum, differences, of) });
}

/**
 * Senders' differences, pushed through the norm's derivative to the MLP's pre-activations and met there by the gradient: scores
 * [senders, dMlp], summed over examples and positions. What a sender changes at a neuron's input, times ∂metric/∂(that input).
 */
export function neuronReaders(arithmetic: Arithmetic): Program {
  const { config } = arithmetic;
  const { dModel, dMlp, gatedMlp } = config;
  const saved = (name: string): Value => p.input(name, [1, B, POS, dMlp]);
  const hidden = saved('hidden');
  const gate = gatedMlp ? saved('gate') : null;
  const sites = [hidden, ...(gate ? [gate] : [])];
  const gradient = p.input('gradient', [1, B, POS, dModel]);
  const atSites = p.differentiate([{ of: mlpOutput(hidden, gate, arithmetic), gradient }], sites);
  const all = p.input('differences', [B, POS, 'all', dModel]);
  const differences = p.gather(all, p.input('sender', [SENDERS], 'int'), 2); // [examples, pos, senders, d]
  const x = (): Value => p.reshape(p.input('x', [1, B, POS, dModel]), [B, POS, 1, dModel]);
  const normed = normAt('ln2', config) === null ? differences : alongNorm(x(), differences, 'ln2', arithmetic);
  const met = ['mlp.in', 'mlp.gate'].slice(0, sites.length).map((weight, i) => {
    const change = p.matmul(normed, p.parameter(weight, [dModel, dMlp])); // [examples, pos, senders, dMlp]
    return p.mul(change, p.reshape(atSites[i] as Value, [B, POS, 1, dMlp]));
  });
  return p.makeProgram('neuronReaders', { scores: p.sum(met.reduce((a, b) => p.add(a, b)), [0, 1]) }); // prettier-ignore
}

/**
 * One neuron per question reads x [questions, examples, pos, d], the others what they read in the cached run, `base`: `post`, the
 * cached stream after the MLP, with what this neuron writes differently.
 */
export function cutNeuron(arithmetic: Arithmetic): Program {
  const { config } = arithmetic;
  const { dModel, dMlp } = config;
  const neuron = p.input('neuron', [Q], 'int');
  const column = (weight: string): Value => p.gather(p.parameter(weight, [dModel, dMlp]), neuron, 1); // [d, questions]
  const before = (x: Value): Value => {
    const normed = normalise(x, 'ln2', arithmetic);
    const read = (weight: string): Value => dot(normed, column(weight), arithmetic);
    const bias = arithmetic.has.inBias ? p.gather(p.parameter('mlp.in.bias', [dMlp]), neuron, 0) : null;
    const hidden = bias ? p.add(read('mlp.in'), p.reshape(bias, [Q, 1, 1, 1])) : read('mlp.in');
    return neurons(hidden, config.gatedMlp ? read('mlp.gate') : null, arithmetic);
  };
  const base = p.broadcast(cachedStream('base', config), [Q, B, POS, dModel]);
  const change = p.sub(before(stream('x', config)), before(base)); // [questions, examples, pos, 1]
  const writes = p.reshape(p.gather(p.parameter('mlp.out', [dMlp, dModel]), neuron, 0), [Q, 1, 1, dModel]);
  const written = p.mul(change, writes);
  const sum = normsWrites(arithmetic) ? cachedSum('base', arithmetic) : null;
  const added = sum === null ? written : differenceBehindNorm(sum, written, 'ln2Post', arithmetic);
  return p.makeProgram('cutNeuron', { x: p.add(cachedStream('post', config), added) });
}

/** x [questions, examples, pos, d] with a column of its own for each question, [d, questions]: [questions, examples, pos, 1]. */
function dot(x: Value, columns: Value, { config }: Arithmetic): Value {
  const flat = p.reshape(x, [Q, p.multiplyDims(B, POS), config.dModel]);
  const each = p.reshape(p.transpose(columns, [1, 0]), [Q, config.dModel, 1]);
  return p.reshape(p.matmul(flat, each), [Q, B, POS, 1]);
}
