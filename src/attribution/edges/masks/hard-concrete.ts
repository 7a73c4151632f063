/**
 * Hard-concrete masks (Louizos, Welling & Kingma 2018, arXiv:1712.01312): a stretched, clipped sigmoid of a learned log α and
 * logistic noise, which is exactly 0 or 1 with a probability that can be differentiated:
 *
 *     z = clip(l + (r − l) σ((log α + logit u) / β), 0, 1),  P(z > 0) = σ(log α − β log(−l / r)),  l = −0.1, r = 1.1, β = 2/3
 */
import { adam, ADAM, corrections, type AdamOptions } from '../../../train/adam.js';
import * as p from '../../../program/index.js';
import type { Program, Value } from '../../../program/index.js';

const [LEFT, RIGHT, TEMPERATURE] = [-0.1, 1.1, 2 / 3];
const SHIFT = TEMPERATURE * Math.log(-LEFT / RIGHT);

/** Masks neither decay nor need their gradient shortened. */
const OPTIONS: AdamOptions = { ...ADAM, decay: 0, clip: 1e6 };

/** 1 / (1 − βᵗ) of both running means at step t = 1, 2, … */
export const adamCorrections = (t: number): readonly [number, number] => corrections(OPTIONS, t);

/** P(z > 0). */
export const openProbability = (logAlpha: number): number => 1 / (1 + Math.exp(SHIFT - logAlpha));

const openness = (logAlpha: Value): Value => p.sigmoid(p.sub(logAlpha, SHIFT));

function sample(logAlpha: Value, noise: Value): Value {
  const s = p.sigmoid(p.div(p.add(logAlpha, noise), TEMPERATURE));
  const stretched = p.add(p.mul(s, RIGHT - LEFT), LEFT);
  return p.sub(1, p.relu(p.sub(1, p.relu(stretched))));
}

/** The masks of edges [edges] from those of units [units]; an edge of unit `units` is always open. */
function ofEdges(z: Value, edges: number): Value {
  const always = p.broadcast(p.literal(1), [1]);
  return p.gather(p.concat([z, always], 0), p.parameter('unit', [edges], 'int'), 0);
}

/**
 * One update of the masks. inputs: `parameters` (log α), `first`, `second` [units] (Adam's state), `noise` and `noise.next` (logit u)
 * [units], `metric.gradient` [edges] at the masks and `slope` [] = ∂ loss / ∂ metric, `penalty` [] = ∂ loss / ∂ expected number of open units, `rate`, `correction1`,
 * `correction2` []. outputs: the next state, `mask` [edges] with the next noise, `size` [] = its expected number of open units.
 */
export function updateProgram(units: number, edges: number): Program {
  const vector = (name: string): Value => p.input(name, [units]);
  const scalar = (name: string): Value => p.input(name, []);
  const parameters = vector('parameters');
  const mask = ofEdges(sample(parameters, vector('noise')), edges);
  const size = p.sum(openness(parameters), [0]);
  const cotangents = [
    { of: mask, gradient: p.mul(p.input('metric.gradient', [edges]), scalar('slope')) },
    { of: size, gradient: scalar('penalty') },
  ];
  const [gradient] = p.differentiate(cotangents, [parameters]) as [Value];
  const state = { parameters, first: vector('first'), second: vector('second') };
  const [rate, decays] = [scalar('rate'), p.broadcast(p.literal(0), [units])];
  const step = { gradient, decays, rate, corrections: [scalar('correction1'), scalar('correction2')] as const };
  const next = adam(state, step, OPTIONS);
  const nextMask = ofEdges(sample(next.parameters, vector('noise.next')), edges);
  return p.makeProgram('mask update', { ...next, mask: nextMask, size: p.sum(openness(next.parameters), [0]) });
}
