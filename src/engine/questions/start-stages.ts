/** Where a walk can start: at each stage of a layer, with as little recomputed as the stage allows. */
import { mlpReads } from '../../model/blocks.js';
import type { Tensor } from '../../runtime/types.js';
import type { Arena } from '../core/arena.js';
import type { Masks } from './masks.js';
import type { NeuronPairs } from '../model-run/neurons.js';
import type { SiteKind } from './questions.js';
import { at, postOf, shifted, spread } from '../model-run/bound-run.js';
import { attentionStep, mlpStep, plus, settledMlp, walkUp, type Walk } from '../model-run/walk.js';

/** Where in a layer a site lies; a walk starts at the first one that a question changes. */
export const STAGE: { readonly [Kind in SiteKind]: number } = {
  'resid-pre': 0,
  q: 1,
  k: 1,
  v: 1,
  pattern: 1,
  z: 2,
  'attention-out': 2,
  'resid-mid': 3,
  neurons: 4,
  'mlp-out': 5,
  'resid-post': 6,
};

interface Entry {
  readonly walk: Walk;
  readonly masks: Masks;
  readonly layer: number;
  readonly arena: Arena;
  readonly questions: number;
  readonly neurons: NeuronPairs;
}

/** From each stage to the stream after the last layer. */
export const ENTRIES: readonly ((entry: Entry) => Promise<Tensor>)[] = [
  atPre,
  insideAttention,
  atHeads,
  atMid,
  atNeurons,
  atMlp,
  atFinal,
];
export const STAGES = ENTRIES.length;

async function atPre({ walk, masks, layer }: Entry): Promise<Tensor> {
  const { base, alternative } = walk.bound;
  const streams = { base: at(base.pre, layer), now: at(base.pre, layer), alt: at(alternative.pre, layer) };
  const swap = masks.stream(layer, 'resid-pre') as Tensor;
  return walkUp(walk, layer, await shifted(walk.bound, walk.span, { ...streams, swap }));
}

async function insideAttention({ walk, layer, arena, questions }: Entry): Promise<Tensor> {
  const pre = await spread(walk.bound, walk.span, { stream: at(walk.bound.base.pre, layer), questions, arena });
  const mid = await attentionStep(walk, layer, pre);
  return upFrom(walk, layer + 1, await mlpStep(walk, layer, { pre, mid }));
}

async function atHeads({ walk, masks, layer, arena, questions }: Entry): Promise<Tensor> {
  const { engine, base, alternative } = walk.bound;
  const heads = { now: at(base.z, layer), alt: at(alternative.z, layer), swap: masks.heads(layer, 'z') as Tensor };
  const inputs = { base: at(base.mid, layer), ...heads, positions: walk.span.positions };
  const { x } = await engine.run({ name: 'shiftHeads', layer, inputs });
  return afterAttention(walk, layer, { mid: x as Tensor, arena, questions });
}

async function atMid({ walk, masks, layer, arena, questions }: Entry): Promise<Tensor> {
  const { base, alternative } = walk.bound;
  const streams = { base: at(base.mid, layer), now: at(base.mid, layer), alt: at(alternative.mid, layer) };
  const swap = masks.stream(layer, 'resid-mid') as Tensor;
  const mid = await shifted(walk.bound, walk.span, { ...streams, swap });
  return afterAttention(walk, layer, { mid, arena, questions });
}

/** Neurons change the stream after the MLP by what they say differently, through their rows of the down projection. */
async function atNeurons({ walk, masks, layer, arena, questions, neurons }: Entry): Promise<Tensor> {
  const { bound, span } = walk;
  if (masks.stream(layer, 'mlp-out')) {
    const mid = await spread(bound, span, { stream: at(bound.base.mid, layer), questions, arena });
    return upFrom(
      walk,
      layer + 1,
      await plus(walk, arena.own(mid), await settledMlp(walk, layer, { questions, arena })),
    );
  }
  const inputs = { base: postOf(bound.base, layer), ...(await neurons.of(layer)), positions: span.positions };
  const single = masks.singleNeurons(layer);
  const { x } = single
    ? await bound.engine.run({ name: 'shiftNeuron', layer, inputs: { ...inputs, ...single } })
    : await bound.engine.run({
        name: 'shiftNeurons',
        layer,
        inputs: { ...inputs, swap: masks.neurons(layer) as Tensor },
      });
  return upFrom(walk, layer + 1, x as Tensor);
}

async function atMlp({ walk, masks, layer }: Entry): Promise<Tensor> {
  const { base, alternative } = walk.bound;
  const streams = { base: postOf(base, layer), now: at(base.m, layer), alt: at(alternative.m, layer) };
  const swap = masks.stream(layer, 'mlp-out') as Tensor;
  return upFrom(walk, layer + 1, await shifted(walk.bound, walk.span, { ...streams, swap }));
}

async function atFinal({ walk, masks, layer }: Entry): Promise<Tensor> {
  const { base, alternative } = walk.bound;
  const streams = { base: base.final, now: base.final, alt: alternative.final };
  return shifted(walk.bound, walk.span, { ...streams, swap: masks.stream(layer, 'resid-post') as Tensor });
}

const upFrom = (walk: Walk, layer: number, x: Tensor): Promise<Tensor> =>
  layer < walk.bound.engine.model.config.nLayers ? enter(walk, layer, x) : Promise.resolve(x);

/** Entering a layer above the first one, its `resid-pre` sites still have to be applied. */
async function enter(walk: Walk, layer: number, x: Tensor): Promise<Tensor> {
  const { pre } = await walk.swaps(layer);
  if (!pre) return walkUp(walk, layer, x);
  const inputs = { now: x, alt: at(walk.bound.alternative.pre, layer), swap: pre, positions: walk.span.positions };
  const result = await walk.bound.engine.run({ name: 'swapStream', inputs });
  x.dispose();
  return walkUp(walk, layer, result['x'] as Tensor);
}

/** The stream after attention changed, its input did not: on from the MLP (which in parallel blocks did not change either). */
export async function afterAttention(
  walk: Walk,
  layer: number,
  from: { mid: Tensor; arena: Arena; questions: number },
): Promise<Tensor> {
  if (mlpReads(walk.bound.engine.model.config) !== 'pre')
    return upFrom(walk, layer + 1, await mlpStep(walk, layer, { pre: null, mid: from.mid }));
  const post = await plus(walk, from.mid, await settledMlp(walk, layer, from));
  from.mid.dispose();
  return upFrom(walk, layer + 1, post);
}
