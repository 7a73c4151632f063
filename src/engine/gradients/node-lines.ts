/**
 * Runs in which one site of a layer lies on the straight line from its alternative (0) to what it says in the base run (1), at
 * several points at once, and everything else is computed from there: all heads, neurons and positions of the site move together.
 */
import type { Tensor, Tensors } from '../../runtime/types.js';
import { savedByMlp, type Pass, type Saved } from '../model-run/backward.js';
import type { Point } from './gradient.js';
import { attend, feedForward, output, project, type HeadTensors } from '../model-run/layers.js';
import { NeuronPairs } from '../model-run/neurons.js';
import type { SiteKind } from '../questions/questions.js';
import { at, floats, postOf, shifted, spread, type BoundRun } from '../model-run/bound-run.js';

/** Sites that are nodes: they have a value of their own at each position. */
export type NodeSite = Exclude<SiteKind, 'pattern'>;

export interface Line extends Pass {
  readonly bound: BoundRun;
  readonly points: readonly Point[];
  readonly layer: number;
}

/** Where the ordinary forward pass takes over. */
export interface Begun {
  /** the stream entering layer `next` at every point, owned by the pass */
  readonly stream: Tensor;
  readonly next: number;
  /** what of the site's own layer has been run; null: nothing, or nothing that its gradient needs */
  readonly saved: Saved | null;
}

/** How much of the alternative each point brings in. */
const swapOf = ({ bound, arena, points }: Line, inner: readonly number[]): Tensor => {
  const each = inner.reduce((a, b) => a * b, 1);
  const values = Float64Array.from({ length: points.length * each }, (_, i) => 1 - at(points, Math.floor(i / each)).at);
  return floats(bound, arena, { values: bound.engine.precise(values), shape: [points.length, ...inner] });
};

/** A stream at every point. */
export const streamsAt = async (line: Line, of: { base: Tensor; now: Tensor; alt: Tensor }): Promise<Tensor> => {
  const { bound, span, arena } = line;
  return arena.own(await shifted(bound, span, { ...of, swap: swapOf(line, [1, span.count, 1]) }));
};

const fromPre = async (line: Line): Promise<Begun> => {
  const { layer, bound } = line;
  const now = at(bound.base.pre, layer);
  return {
    stream: await streamsAt(line, { base: now, now, alt: at(bound.alternative.pre, layer) }),
    next: layer,
    saved: null,
  };
};

const fromHeads =
  (role: 'q' | 'k' | 'v') =>
  async (line: Line): Promise<Begun> => {
    const { layer, bound, span, arena, points, engine } = line;
    const place = { engine, layer, span };
    const stream = at(bound.base.pre, layer);
    const pre = arena.own(await spread(bound, span, { stream, questions: points.length, arena }));
    const computed = arena.own((await project(place, pre)) as unknown as Tensors) as unknown as HeadTensors;
    const swap = swapOf(line, [1, engine.model.config.nHeads, span.count, 1]);
    const alt = at(bound.alternative.heads, layer)[role];
    const inputs = { now: computed[role], alt, swap, positions: span.positions };
    const { z: moved } = arena.own(await engine.run({ name: 'swapHeads', inputs }));
    const heads = { ...computed, [role]: moved as Tensor };
    const { z } = arena.own(await attend(place, heads, { cached: at(bound.base.heads, layer) }));
    const mid = arena.own(await output(place, pre, z as Tensor));
    return throughMlp(line, { pre, mid, heads });
  };

const fromOutputs = async (line: Line): Promise<Begun> => {
  const { layer, bound, span, engine, arena } = line;
  const { nHeads, parallelBlocks } = engine.model.config;
  const { base, alternative } = bound;
  const inputs = {
    base: parallelBlocks ? postOf(base, layer) : at(base.mid, layer),
    ...{ now: at(base.z, layer), alt: at(alternative.z, layer) },
    ...{ swap: swapOf(line, [1, nHeads, span.count, 1]), positions: span.positions },
  };
  const x = arena.own(await engine.run({ name: 'shiftHeads', layer, inputs }))['x'] as Tensor;
  return parallelBlocks ? { stream: x, next: layer + 1, saved: null } : fromMiddle(line, x);
};

const fromMid = async (line: Line): Promise<Begun> => {
  const { layer, bound } = line;
  const now = at(bound.base.mid, layer);
  return fromMiddle(line, await streamsAt(line, { base: now, now, alt: at(bound.alternative.mid, layer) }));
};

/** The stream entering the layer and its heads are as in the base run, and not read again. */
const fromMiddle = (line: Line, mid: Tensor): Promise<Begun> =>
  throughMlp(line, { pre: mid, mid, heads: at(line.bound.base.heads, line.layer) });

async function throughMlp(line: Line, half: Omit<Saved, 'mlp'>): Promise<Begun> {
  const { engine, layer, arena } = line;
  const { dMlp, parallelBlocks } = engine.model.config;
  const { pre, mid } = half;
  if (dMlp === 0) return { stream: mid, next: layer + 1, saved: { ...half, mlp: {} } };
  const read = { x: parallelBlocks ? pre : mid, onto: mid };
  const mlp = arena.own(await feedForward({ engine, layer }, read, savedByMlp(engine)));
  return { stream: mlp['post'] as Tensor, next: layer + 1, saved: { ...half, mlp } };
}

const fromNeurons = async (line: Line): Promise<Begun> => {
  const { layer, bound, span, engine, arena } = line;
  const pair = await new NeuronPairs(bound, arena).of(layer);
  const swap = swapOf(line, [1, span.count, engine.model.config.dMlp]);
  const inputs = { base: postOf(bound.base, layer), ...pair, swap, positions: span.positions };
  const { x } = arena.own(await engine.run({ name: 'shiftNeurons', layer, inputs }));
  return { stream: x as Tensor, next: layer + 1, saved: null };
};

const fromMlp = async (line: Line): Promise<Begun> => {
  const { layer, bound } = line;
  const streams = { now: at(bound.base.m, layer), alt: at(bound.alternative.m, layer) };
  return {
    stream: await streamsAt(line, { base: postOf(bound.base, layer), ...streams }),
    next: layer + 1,
    saved: null,
  };
};

const fromPost = async (line: Line): Promise<Begun> => {
  const { layer, bound } = line;
  const now = postOf(bound.base, layer);
  const alt = postOf(bound.alternative, layer);
  return { stream: await streamsAt(line, { base: now, now, alt }), next: layer + 1, saved: null };
};

/** From each site, as little of its layer run as it takes. */
export const LINES: { readonly [Site in NodeSite]: (line: Line) => Promise<Begun> } = {
  'resid-pre': fromPre,
  q: fromHeads('q'),
  k: fromHeads('k'),
  v: fromHeads('v'),
  z: fromOutputs,
  'attention-out': fromOutputs,
  'resid-mid': fromMid,
  neurons: fromNeurons,
  'mlp-out': fromMlp,
  'resid-post': fromPost,
};
