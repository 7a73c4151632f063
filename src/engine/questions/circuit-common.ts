/** What circuits asked together share: the alternative stream in steps, and what is as in the base run. */
import { normsWrites } from '../../model/blocks.js';
import type { Tensor } from '../../runtime/types.js';
import type { Arena } from '../core/arena.js';
import { at, floats, spread, type BoundRun } from '../model-run/bound-run.js';
import type { Span } from '../core/span.js';

/** What all circuits start from. */
export interface Common {
  readonly bound: BoundRun;
  readonly span: Span;
  /** what the embedding says now minus what it says in the alternative, [1, examples, pos, d] */
  readonly input: Tensor;
  /** the alternative stream entering each layer minus that entering the layer before; they add up to the stream */
  readonly steps: readonly Tensor[];
  /** heads' writes are normed: what a reader reads of a layer's heads is not their sum */
  readonly mixes: boolean;
  /** what a layer's heads [heads, examples, pos, d] and MLP [1, examples, pos, d] say in the base run differently */
  baseHeads(layer: number): Promise<Tensor>;
  baseMlp(layer: number): Promise<Tensor>;
}

/** Owned by the arena. */
export async function makeCommon(on: { bound: BoundRun; span: Span; arena: Arena }): Promise<Common> {
  const { bound, span, arena } = on;
  const { engine, base, alternative } = bound;
  const minus = async (alt: Tensor, now: Tensor): Promise<Tensor> => {
    const inputs = { alt, now, positions: span.positions };
    const { difference } = arena.own(
      await engine.run({ name: 'streamDifference', variant: { byToken: false }, inputs }),
    ); // [examples, 1, pos, d]
    const [examples, , pos, d] = (difference as Tensor).shape as [number, number, number, number];
    return arena.own(engine.runtime.reshape(difference as Tensor, [1, examples, pos, d]));
  };
  const { pre } = alternative;
  const steps = [arena.own(await spread(bound, span, { stream: at(pre, 0), questions: 1, arena }))];
  for (let layer = 1; layer < pre.length; layer++) steps.push(await minus(at(pre, layer), at(pre, layer - 1)));
  const headChanges = async (layer: number): Promise<Tensor> => {
    const inputs = { now: at(base.z, layer), alt: at(alternative.z, layer), positions: span.positions };
    return arena.own((await engine.run({ name: 'headChanges', layer, inputs }))['change'] as Tensor);
  };
  return {
    bound,
    span,
    mixes: normsWrites(engine.arithmetic),
    input: await minus(at(base.pre, 0), at(pre, 0)),
    steps,
    baseHeads: perLayer(headChanges),
    baseMlp: perLayer((layer) => minus(at(base.m, layer), at(alternative.m, layer))),
  };
}

/** Heads of a layer in a store: its rows, and how much of each the readers keep [readers, heads]. */
interface Mixture {
  readonly layer: number;
  readonly from: number;
  readonly to: number;
  readonly kept: readonly number[];
}

/** Of every layer the norm of the readers' own mixtures of its heads, added up [readers, examples, pos, d]; owned by the arena. */
export async function mixedHeads(
  { bound, span }: Common,
  of: { store: Tensor; arena: Arena; readers: number; layers: readonly Mixture[] },
): Promise<Tensor> {
  const { engine, alternative } = bound;
  const { store, arena, readers } = of;
  const shape = [readers, ...store.shape.slice(1)];
  const zeros = new Float32Array(shape.reduce((a, b) => a * b, 1));
  let mixed = floats(bound, arena, { values: zeros, shape });
  for (const { layer, from, to, kept } of of.layers) {
    if (kept.every((amount) => amount === 0)) continue;
    const values = Float32Array.from(kept);
    const inputs = {
      rows: arena.own(engine.runtime.rows(store, from, to)),
      'mask.readers': floats(bound, arena, { values, shape: [readers, to - from] }),
      'z.alt': at(alternative.z, layer),
      onto: mixed,
      positions: span.positions,
    };
    mixed = arena.own(await engine.run({ name: 'mixHeads', layer, inputs }))['x'] as Tensor;
  }
  return mixed;
}

/** Made when first asked for, once for each layer. */
function perLayer(make: (layer: number) => Promise<Tensor>): (layer: number) => Promise<Tensor> {
  const made = new Map<number, Promise<Tensor>>();
  return (layer) => {
    const one = made.get(layer) ?? make(layer);
    made.set(layer, one);
    return one;
  };
}
