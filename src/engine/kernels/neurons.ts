/** Programs about single neurons of an MLP: what its down projection reads. */
import { neurons, neuronsOutput, neuronsSum, normsWrites, type Arithmetic } from '../../model/blocks.js';
import * as p from '../../program/index.js';
import type { Program, Value } from '../../program/index.js';
import { B, cachedStream, LENGTH, POS, Q, stream, swapped } from './dims.js';
import { differenceBehindNorm } from './frozen-norm.js';

/** [questions, examples, pos, dMlp] */
const wide = (name: string, { config }: Arithmetic): Value => p.input(name, [Q, B, POS, config.dMlp]);

/** Cached [1, examples, length, dMlp]. */
const cachedWide = (name: string, { config }: Arithmetic): Value => p.input(name, [1, B, LENGTH, config.dMlp]);

/** Cached values at the recomputed positions. */
const here = (cached: Value): Value => p.gather(cached, p.input('positions', [POS], 'int'), 2);

const preActivations = (arithmetic: Arithmetic): [hidden: Value, gate: Value | null] => [
  wide('hidden', arithmetic),
  arithmetic.config.gatedMlp ? wide('gate', arithmetic) : null,
];

const downProjection = ({ config }: Arithmetic): Value => p.parameter('mlp.out', [config.dMlp, config.dModel]);

/** The MLP's pre-activations → what its neurons say. */
export function activeNeurons(arithmetic: Arithmetic): Program {
  const [hidden, gate] = preActivations(arithmetic);
  return p.makeProgram('activeNeurons', { neurons: neurons(hidden, gate, arithmetic) });
}

/** One neuron for each question: base + swap · (alternative − now)_j ⊗ W_out[j], everything cached. */
export function shiftNeuron(arithmetic: Arithmetic): Program {
  const { config } = arithmetic;
  const neuron = p.input('neuron', [Q], 'int');
  const pick = (name: string): Value => here(p.gather(cachedWide(name, arithmetic), neuron, 3)); // [1, examples, pos, questions]
  const picked = p.transpose(p.sub(pick('alt'), pick('now')), [3, 1, 2, 0]); // [questions, examples, pos, 1]
  const row = p.reshape(p.gather(downProjection(arithmetic), neuron, 0), [Q, 1, 1, config.dModel]);
  const written = p.mul(p.mul(picked, p.input('swap', [Q, 1, POS, 1])), row);
  const change = normsWrites(arithmetic)
    ? differenceBehindNorm(neuronsSum(here(cachedWide('now', arithmetic)), arithmetic), written, 'ln2Post', arithmetic)
    : written;
  return p.makeProgram('shiftNeuron', { x: p.add(cachedStream('base', config), change) });
}

/** Any neurons of each question: base + (swap · (alternative − now)) W_out, everything cached. */
export function shiftNeurons(arithmetic: Arithmetic): Program {
  const now = here(cachedWide('now', arithmetic));
  const difference = p.sub(here(cachedWide('alt', arithmetic)), now);
  const written = p.matmul(p.mul(neuronSwap(arithmetic), difference), downProjection(arithmetic));
  const change = normsWrites(arithmetic)
    ? differenceBehindNorm(neuronsSum(now, arithmetic), written, 'ln2Post', arithmetic)
    : written;
  return p.makeProgram('shiftNeurons', { x: p.add(cachedStream('base', arithmetic.config), change) });
}

/** Cached neurons at the span's positions, one copy per question, moved by swap · (alt − now). */
export function moveNeurons(arithmetic: Arithmetic): Program {
  const [now, alt] = [here(cachedWide('now', arithmetic)), here(cachedWide('alt', arithmetic))];
  return p.makeProgram('moveNeurons', { neurons: swapped(now, alt, neuronSwap(arithmetic)) });
}

/** As `shiftNeurons` for an MLP in flight, from its pre-activations; the alternative is cached. */
export function swapNeurons(arithmetic: Arithmetic): Program {
  const [hidden, gate] = preActivations(arithmetic);
  const active = neurons(hidden, gate, arithmetic);
  const difference = p.sub(here(cachedWide('alt', arithmetic)), active);
  if (normsWrites(arithmetic)) {
    const moved = p.add(active, p.mul(neuronSwap(arithmetic), difference));
    return p.makeProgram('swapNeurons', { x: neuronsOutput(moved, arithmetic) });
  }
  const change = p.matmul(p.mul(neuronSwap(arithmetic), difference), downProjection(arithmetic));
  return p.makeProgram('swapNeurons', { x: p.add(stream('now', arithmetic.config), change) });
}

const neuronSwap = ({ config }: Arithmetic): Value => p.input('swap', [Q, 1, POS, config.dMlp]);
