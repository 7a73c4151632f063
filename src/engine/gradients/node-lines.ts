/**
 * Runs in which one site of a layer lies on the straight line from its alternative (0) to what it says in the base run (1), at
 * several points at once, and everything else is computed from there: all heads, neurons and positions of the site move together.
 */
import { mlpReads, normsWrites } from '../../model/blocks.js';
import type { Tensor } from '../../runtime/types.js';
import { savingVisitor, type Pass, type Saved } from '../model-run/backward.js';
import { forwardBlock, mlpHalf, type ForwardVisitor } from '../model-run/block-forward.js';
import type { Point } from './gradient.js';
import { NeuronPairs, preActivationsOf } from '../model-run/neurons.js';
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
    const base = { stream: at(bound.base.pre, layer), questions: points.length, arena };
    const pre = arena.own(await spread(bound, span, base));
    const swap = swapOf(line, [1, engine.model.config.nHeads, span.count, 1]);
    const alt = at(bound.alternative.heads, layer)[role];
    let own: Saved | null = null;
    const visitor: ForwardVisitor = {
      ...savingVisitor(engine, { arena, take: (saved) => (own = saved) }),
      cached: bound.base.heads,
      heads: async (computed) => {
        const inputs = { now: computed[role], alt, swap, positions: span.positions };
        return { ...computed, [role]: arena.own(await engine.run({ name: 'swapHeads', inputs }))['z'] as Tensor };
      },
    };
    const stream = await forwardBlock(place, pre, visitor);
    return { stream, next: layer + 1, saved: own };
  };

const fromOutputs = async (line: Line): Promise<Begun> => {
  const { layer, bound, span, engine, arena } = line;
  const { config } = engine.model;
  const parallel = mlpReads(config) === 'pre';
  const { base, alternative } = bound;
  const inputs = {
    base: parallel ? postOf(base, layer) : at(base.mid, layer),
    ...{ now: at(base.z, layer), alt: at(alternative.z, layer) },
    ...{ swap: swapOf(line, [1, config.nHeads, span.count, 1]), positions: span.positions },
  };
  const x = arena.own(await engine.run({ name: 'shiftHeads', layer, inputs }))['x'] as Tensor;
  const normed = normsWrites(engine.arithmetic);
  const { z } = normed ? arena.own(await engine.run({ name: 'moveHeads', inputs })) : { z: undefined };
  if (!parallel) return fromMiddle(line, x, z);
  const { mid, heads } = { mid: x, heads: at(base.heads, layer) };
  return { stream: x, next: layer + 1, saved: z ? { pre: x, mid, heads, z, mlp: {} } : null };
};

const fromMid = async (line: Line): Promise<Begun> => {
  const { layer, bound } = line;
  const now = at(bound.base.mid, layer);
  return fromMiddle(line, await streamsAt(line, { base: now, now, alt: at(bound.alternative.mid, layer) }));
};

/** The stream entering the layer and its heads are as in the base run, and not read again. */
const fromMiddle = (line: Line, mid: Tensor, z?: Tensor): Promise<Begun> =>
  throughMlp(line, { pre: mid, mid, heads: at(line.bound.base.heads, line.layer), z });

async function throughMlp(line: Line, half: Omit<Saved, 'mlp'>): Promise<Begun> {
  const { engine, layer, arena, span } = line;
  let mlp: Saved['mlp'] = {};
  const wanted = preActivationsOf(engine);
  const stream = await mlpHalf({ engine, layer, span }, half, {
    wanted,
    passed: (made, keep) => {
      arena.own(made.post);
      for (const name of wanted) if (made.mlp[name]) arena.own(keep(made.mlp[name]));
      mlp = made.mlp;
    },
  });
  return { stream, next: layer + 1, saved: { ...half, mlp } };
}

const fromNeurons = async (line: Line): Promise<Begun> => {
  const { layer, bound, span, engine, arena } = line;
  const pair = await new NeuronPairs(bound, arena).of(layer);
  const swap = swapOf(line, [1, span.count, engine.model.config.dMlp]);
  const inputs = { base: postOf(bound.base, layer), ...pair, swap, positions: span.positions };
  const { x } = arena.own(await engine.run({ name: 'shiftNeurons', layer, inputs }));
  const begun = { stream: x as Tensor, next: layer + 1 };
  if (!normsWrites(engine.arithmetic)) return { ...begun, saved: null };
  const mlp = arena.own(await engine.run({ name: 'moveNeurons', inputs }));
  const base = { pre: at(bound.base.pre, layer), mid: at(bound.base.mid, layer), heads: at(bound.base.heads, layer) };
  return { ...begun, saved: { ...base, mlp } };
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
