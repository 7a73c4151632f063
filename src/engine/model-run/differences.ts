import { normsWrites } from '../../model/blocks.js';
import type { Tensor, Tensors } from '../../runtime/types.js';
import { Arena } from '../core/arena.js';
import type { DifferenceLayout } from '../kernels/gradient.js';
import { at, floats, type BoundRun } from './bound-run.js';
import type { Span } from '../core/span.js';

interface DifferenceOptions extends DifferenceLayout {
  /**
   * Where a norm follows attention, what a head's change does to the stream depends on how much of it is made, 0 … 1: the
   * difference is that per unit of it, at 0 the derivative. Default 1.
   */
  readonly amount?: number;
}

/**
 * What every sender would say differently: alternative − base at the span's positions, [examples, senders, pos, d], senders in
 * the universe's order; `byToken`: [examples, pos, senders, d]. Cost: one output projection per layer.
 */
export async function senderDifferences(
  bound: Pick<BoundRun, 'engine' | 'base' | 'alternative'>,
  span: Span,
  { amount = 1, ...layout }: DifferenceOptions = { byToken: false },
): Promise<Tensor> {
  const { engine, base, alternative } = bound;
  const { config } = engine.model;
  const arena = new Arena();
  const parts: Tensor[] = [];
  const normed = normsWrites(engine.arithmetic);
  const headLayout = normed ? { ...layout, linear: amount === 0 } : layout;
  const made =
    normed && amount !== 0 ? { amount: floats(bound, arena, { values: Float64Array.of(amount), shape: [1] }) } : {};
  const stream = async (now: Tensor, alt: Tensor): Promise<void> => {
    const result = await engine.run({
      name: 'streamDifference',
      variant: layout,
      inputs: { now, alt, positions: span.positions },
    });
    parts.push(arena.own(result['difference'] as Tensor));
  };
  try {
    await stream(at(base.pre, 0), at(alternative.pre, 0));
    for (let layer = 0; layer < config.nLayers; layer++) {
      const inputs = { now: at(base.z, layer), alt: at(alternative.z, layer), positions: span.positions, ...made };
      const heads = await engine.run({ name: 'headDifferences', layer, variant: headLayout, inputs });
      parts.push(arena.own(heads['difference'] as Tensor));
      if (config.dMlp > 0) await stream(at(base.m, layer), at(alternative.m, layer));
    }
    const inputs: Tensors = Object.fromEntries(parts.map((part, i) => [`part${i}`, part]));
    const counts = parts.map((part) => part.shape[layout.byToken ? 2 : 1] as number);
    const joined = await engine.run({ name: 'joinDifferences', variant: { ...layout, counts }, inputs });
    return joined['differences'] as Tensor;
  } finally {
    arena.dispose();
  }
}
